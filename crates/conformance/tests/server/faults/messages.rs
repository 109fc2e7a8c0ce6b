//! Faults in the fields of responses.

use http::{HeaderValue, Response, StatusCode};
use hyper::body::Bytes;

use crate::double::{Fault, set};
use crate::seen::Seen;

const OTHER_ID: &str = "{00000000-0000-4000-8000-00000000000A}";

/// Returns true for the Ack of a fragment of the conversation in the area `message`.
fn is_ack(seen: &Seen<'_>, response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::OK && seen.is("fragment") && seen.of(80)
}

/// Returns true for the refusal of an invalid fragment.
fn is_invalid(seen: &Seen<'_>, response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::BAD_REQUEST && seen.is("fragment")
}

macro_rules! changes {
    ($id:literal, |$seen:ident, $response:ident| $condition:expr, $change:expr) => {
        (
            $id,
            Fault::Changes(|$seen, $response| {
                if $condition {
                    $change;
                }
            }),
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    changes!(
        "message.session_id",
        |seen, response| response.status() == StatusCode::OK && seen.is("fragment"),
        set(response, "BITS-Session-Id", "")
    ),
    changes!(
        "message.session_id.other",
        |seen, response| response.status() == StatusCode::OK && seen.is("fragment"),
        set(response, "BITS-Session-Id", OTHER_ID)
    ),
    changes!(
        "message.packet_type",
        |seen, response| response.status().as_u16() == 500 && seen.is("close-session"),
        set(response, "BITS-Packet-Type", "")
    ),
    changes!("message.error_on_success", |seen, response| is_ack(seen, response), {
        set(response, "BITS-Error-Code", "0x80070057");
        set(response, "BITS-Error-Context", "0x5");
    }),
    changes!("message.error.missing", |seen, response| is_invalid(seen, response), {
        set(response, "BITS-Error-Code", "");
        set(response, "BITS-Error", "");
        set(response, "BITS-Error-Context", "");
    }),
    changes!(
        "message.error.context",
        |seen, response| is_invalid(seen, response),
        set(response, "BITS-Error-Context", "")
    ),
    changes!("message.error.context_alone", |seen, response| is_invalid(seen, response), {
        set(response, "BITS-Error-Code", "");
        set(response, "BITS-Error", "");
    }),
    changes!(
        "message.error.status",
        |_seen, response| response.status().as_u16() == 500,
        *response.status_mut() = StatusCode::NOT_FOUND
    ),
    changes!(
        "message.received.missing",
        |seen, response| seen.is_fragment(60, 80) && response.status().as_u16() == 416,
        set(response, "BITS-Received-Content-Range", "")
    ),
    changes!("message.received.spelling", |seen, response| is_ack(seen, response), {
        let value = response.headers_mut().remove("BITS-Received-Content-Range");
        response.headers_mut().insert("BITS-Recieved-Content-Range", value.expect("an offset"));
    }),
    changes!(
        "message.protocol.on_refusal",
        |seen, response| seen.is("create-session") && response.status().as_u16() == 400,
        set(response, "BITS-Protocol", "{7df0354d-249b-430f-820d-3d2a9bef4931}")
    ),
    changes!(
        "message.reply_url",
        |seen, response| is_ack(seen, response) && seen.is_fragment(0, 80),
        set(response, "BITS-Reply-URL", "/reply")
    ),
    changes!(
        "message.host_id",
        |seen, response| seen.is("create-session") && response.status() == StatusCode::OK,
        set(response, "BITS-Host-Id-Fallback-Timeout", "60")
    ),
    changes!("message.chunked", |seen, response| is_ack(seen, response), {
        set(response, "Content-Length", "");
        set(response, "Transfer-Encoding", "chunked");
    }),
    changes!("message.body", |seen, response| is_invalid(seen, response), {
        set(response, "Content-Length", "");
        *response.body_mut() = Bytes::from_static(b"invalid");
    }),
    changes!("message.duplicate", |seen, response| is_ack(seen, response), {
        let id = HeaderValue::from_str(seen.session()).expect("an id");
        response.headers_mut().append("BITS-Session-Id", id);
    }),
    changes!("message.conflict", |seen, response| is_ack(seen, response), {
        response.headers_mut().append("BITS-Received-Content-Range", HeaderValue::from(1));
    }),
    changes!(
        "message.other",
        |seen, response| seen.is("ping") && response.status() == StatusCode::OK,
        set(response, "BITS-Received-Content-Range", "0")
    ),
    changes!(
        "message.advised",
        |seen, response| is_ack(seen, response),
        set(response, "X-Long", &"x".repeat(5000))
    ),
];
