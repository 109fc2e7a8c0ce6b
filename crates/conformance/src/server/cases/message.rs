//! Rules that hold in every conversation, which the observer checks.

use crate::Level::{Must, Robustness, Security, Should};
use crate::server::entry::{Entry, Outcome};
use crate::server::test::Test;

const NO_PROTOCOL: &str = "{33333333-2222-4333-8444-555555555555}";

/// A case that fails if a rule is violated in any conversation that is otherwise as expected.
macro_rules! rules {
    ($id:literal, $level:ident, $requirements:expr, $rules:expr, $advice:literal) => {
        Entry::new($id, $level, $requirements, $advice, |test| Box::pin(conversation(test)))
            .with_rules($rules)
    };
}

pub(super) const CASES: &[Entry] = &[
    rules!(
        "message.session_id",
        Should,
        &["R2.2.1.2-5"],
        &["missing-session-id"],
        "Send BITS-Session-Id in each Ack with status 200; IIS sends it only in the Ack for Create-Session."
    ),
    rules!(
        "message.session_id.other",
        Must,
        &["R2.2.1.2-6"],
        &["other-session-id", "unreadable-session-id"],
        "Send the session id of the request in its Ack, and no other."
    ),
    rules!(
        "message.packet_type",
        Must,
        &["R2.2.1.2-1", "R2.2.1.2-2"],
        &["missing-packet-type", "not-an-ack", "wrong-packet-type"],
        "Send BITS-Packet-Type: Ack in each response to a packet."
    ),
    rules!(
        "message.error_on_success",
        Should,
        &["R2.2.3.2-11", "R2.2.7.2-8", "R2.2.9.2-2", "R2.2.11.2-2"],
        &["error-on-success"],
        "Send no error fields in a response with status 200."
    ),
    rules!(
        "message.error.missing",
        Must,
        &["R2.2.3.2-11", "R2.2.7.2-8", "R2.2.9.2-2", "R2.2.11.2-2"],
        &["missing-error", "unreadable-error-code"],
        "Send a hexadecimal BITS-Error-Code, such as 0x80070057, in refusals with status 400, 403, 411 and 501."
    ),
    rules!(
        "message.error.context",
        Must,
        &["R2.2.1.2-8", "R2.2.7.2-9"],
        &["missing-error-context", "unknown-error-context", "unreadable-error-context"],
        "Send BITS-Error-Context with each error code: 0x5 for errors of the server, 0x7 for those of its application."
    ),
    rules!(
        "message.error.context_alone",
        Must,
        &["R2.2.1.2-9"],
        &["context-without-error"],
        "Send BITS-Error-Context only together with an error code."
    ),
    rules!(
        "message.error.status",
        Must,
        &["R3.2.5.2.3-3", "R3.2.5.2.3-9"],
        &["unusual-status"],
        "Send the status of each error code: 400 for 0x80070057, 500 for 0x8020001F, 403 for 0x80070005."
    ),
    rules!(
        "message.received.missing",
        Must,
        &["R2.2.7.2-4"],
        &["missing-received", "out-of-sync-without-offset", "unreadable-received"],
        "Send BITS-Received-Content-Range in each Ack of a fragment, also with 416."
    ),
    rules!(
        "message.received.spelling",
        Must,
        &["R2.2.7.2-4"],
        &["misspelt-received"],
        "Spell the field BITS-Received-Content-Range, as clients do."
    ),
    rules!(
        "message.protocol.on_refusal",
        Must,
        &["R2.2.3.2-2"],
        &["protocol-on-refusal"],
        "Send BITS-Protocol only with status 200."
    ),
    rules!(
        "message.reply_url",
        Should,
        &["R2.2.7.2-5", "R2.2.7.2-7"],
        &["early-reply-url"],
        "Send BITS-Reply-URL only in the Ack of the last fragment."
    ),
    rules!(
        "message.host_id",
        Must,
        &["R2.2.3.2-8", "R2.2.3.2-10"],
        &["timeout-without-host-id", "host-id-port"],
        "Send BITS-Host-Id without a port, and BITS-Host-Id-Fallback-Timeout only together with it."
    ),
    rules!(
        "message.chunked",
        Robustness,
        &["R2.2.7.1-1"],
        &["chunked-response"],
        "Send Acks with Content-Length: 0 instead of Transfer-Encoding."
    ),
    rules!(
        "message.body",
        Should,
        &["R3.2.5.2.1-2", "R2.2.7.3-1"],
        &["unexpected-body"],
        "Send no body in responses to packets, not even in refusals."
    ),
    rules!(
        "message.duplicate",
        Robustness,
        &["R2.2.1-4"],
        &["duplicate-field"],
        "Send each field once."
    ),
    rules!(
        "message.conflict",
        Security,
        &["R2.2.1-4"],
        &["conflicting-field", "content-length-conflict", "transfer-encoding"],
        "Never send a field twice with different values."
    ),
    rules!(
        "message.other",
        Must,
        &["R2.2.1-4", "R3.2.5.2.3-1"],
        &["MUST"],
        "Follow the rules of the specification in all responses; the evidence shows the violated one."
    ),
    rules!(
        "message.advised",
        Should,
        &["R2.2.1-5"],
        &["SHOULD"],
        "Follow the advice of the specification in all responses; the evidence shows what differs."
    ),
];

/// A conversation with every kind of response.
async fn conversation(test: &mut Test) -> Outcome {
    let mut session = test.session(80).await?;
    let ping = session.packet("Ping");
    session.exchange(&ping).await?;
    let invalid = session.fragment_packet(0..40).set("Content-Range", "bytes 40-0/80");
    session.exchange(&invalid).await?;
    session.fragment(0..40).await?;
    session.fragment(60..80).await?;
    session.fragment(40..80).await?;
    session.close().await?;
    session.close().await?;
    let mut cancelled = test.session(80).await?;
    cancelled.cancel().await?;
    let path = test.new_path();
    let refused = test.create(&path).set("BITS-Supported-Protocols", NO_PROTOCOL);
    test.exchange(&refused).await?;
    Ok(())
}
