//! Create-Session.

use crate::Level::{Must, Robustness, Security, Should};
use crate::server::answer::INVALID_ARGUMENT;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::packet::PROTOCOL;
use crate::server::test::Test;
use crate::server::variant::{Base, Edit, Expect, Variant};

const OTHER_PROTOCOL: &str = "{11111111-2222-4333-8444-555555555555}";
const FIELD: &str = "BITS-Supported-Protocols";

const fn create(edits: &'static [Edit], expect: Expect) -> Variant {
    Variant { base: Base::Create, edits, expect }
}

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "create.session_id",
        Must,
        &["R2.2.3.2-4", "R3.2.5.2.4-3"],
        "Return the id of the new session in BITS-Session-Id.",
        |test| {
            Box::pin(async move {
                let path = test.new_path();
                let mut connection = test.connect().await?;
                connection.exchange(&test.packet("Ping", &path)).await?;
                let answer = connection.exchange(&test.create(&path)).await?;
                answer.success()?;
                test.opened(connection, &answer, &path, 10).map(drop)
            })
        },
    ),
    Entry::new(
        "create.session_id.guid",
        Should,
        &["R2.2.1.2-3", "R3.2.5.2.4-3"],
        "Use a GUID in braces as session id, such as {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}.",
        |test| Box::pin(guid(test)),
    ),
    Entry::new(
        "create.session_id.unique",
        Must,
        &["R2.2.1.2-3", "R3.2.5.2.4-3"],
        "Give each session another id, also those for the same URL.",
        |test| Box::pin(unique(test)),
    ),
    Entry::new(
        "create.session_id.random",
        Security,
        &["R2.2.1.2-3"],
        "Take session ids from a random source, because anyone who guesses one owns the upload.",
        |test| Box::pin(random(test)),
    ),
    Entry::new(
        "create.protocol",
        Must,
        &["R2.2.3.2-2"],
        "Return the selected protocol in BITS-Protocol, which is one of those that the client offers.",
        |test| {
            Box::pin(async move {
                let path = test.new_path();
                let answer = test.exchange(&test.create(&path)).await?;
                answer.success()?;
                if let Some(id) = answer.field("BITS-Session-Id") {
                    test.sessions.push((path, id));
                }
                let protocol = answer.field("BITS-Protocol").unwrap_or_default();
                if !protocol.eq_ignore_ascii_case(PROTOCOL) {
                    return Err(Stop::Fail(format!(
                        "expected BITS-Protocol: {PROTOCOL}; received {protocol:?}"
                    )));
                }
                Ok(())
            })
        },
    )
    .with_rules(&["missing-protocol", "missing-field BITS-Protocol", "not-offered"]),
    Entry::variant(
        "create.protocol.second",
        Must,
        &["R3.2.5.2.4-1", "R2.2.2.2-3"],
        "Search the whole list in BITS-Supported-Protocols for a protocol that you support.",
        create(
            &[Edit::Set(
                FIELD,
                "{11111111-2222-4333-8444-555555555555} {7df0354d-249b-430f-820d-3d2a9bef4931}",
            )],
            Expect::Accepted,
        ),
    ),
    Entry::variant(
        "create.protocol.unknown",
        Must,
        &["R3.2.5.2.4-2"],
        "Refuse Create-Session with 400 and 0x80070057 if no offered protocol is supported.",
        create(&[Edit::Set(FIELD, OTHER_PROTOCOL)], Expect::Code(INVALID_ARGUMENT)),
    ),
    Entry::variant(
        "create.protocol.missing",
        Must,
        &["R2.2.2.2-4", "R3.2.5.2.3-3"],
        "Refuse Create-Session without BITS-Supported-Protocols.",
        create(&[Edit::Remove(FIELD)], Expect::Refused),
    ),
    Entry::variant(
        "create.protocol.empty",
        Must,
        &["R2.2.2.2-4", "R3.2.5.2.4-2"],
        "Refuse Create-Session with an empty list of protocols.",
        create(&[Edit::Set(FIELD, "")], Expect::Refused),
    ),
    Entry::variant(
        "create.protocol.malformed",
        Must,
        &["R2.2.2.2-2", "R3.2.5.2.3-3"],
        "Refuse Create-Session whose protocol is not a GUID.",
        create(&[Edit::Set(FIELD, "{7df0354d-249b-430f-820d}")], Expect::Refused),
    ),
    Entry::variant(
        "create.protocol.excess",
        Robustness,
        &["R3.2.5.2.4-1"],
        "Answer Create-Session with more than 100 protocols, whether you accept it or not.",
        create(&[Edit::Change(|packet| {
            let list = format!("{} {PROTOCOL}", vec![OTHER_PROTOCOL; 101].join(" "));
            packet.set(FIELD, list)
        })], Expect::Answered),
    ),
    Entry::variant(
        "create.body",
        Must,
        &["R2.2.2.3-1", "R3.2.5.2.3-3"],
        "Refuse Create-Session with a body.",
        create(&[Edit::Set("Content-Length", "7"), Edit::Body(b"content")], Expect::Refused),
    ),
    Entry::variant(
        "create.length.missing",
        Robustness,
        &["R3.2.5.2.3-6", "RFC9112-6.3"],
        "Answer Create-Session without Content-Length at once; do not wait for a body.",
        create(&[Edit::Remove("Content-Length")], Expect::Answered),
    ),
    Entry::variant(
        "create.content_name",
        Must,
        &["R2.2.2.1-1"],
        "Accept Content-Name in Create-Session.",
        create(&[Edit::Add("Content-Name", "report 2024.zip")], Expect::Accepted),
    ),
    Entry::variant(
        "create.content_name.foreign",
        Robustness,
        &["R2.2.1.1-1"],
        "Accept a Content-Name with bytes beyond ASCII, which Windows sends for such file names.",
        create(
            &[Edit::Change(|packet| packet.add("Content-Name", b"B\xFCcher.zip"))],
            Expect::Accepted,
        ),
    ),
    Entry::variant(
        "create.content_name.long",
        Robustness,
        &["R2.2.1.1-2"],
        "Answer Create-Session with a Content-Name of 300 bytes, whether you accept it or not.",
        create(
            &[Edit::Change(|packet| packet.add("Content-Name", "n".repeat(300)))],
            Expect::Answered,
        ),
    ),
    Entry::new(
        "create.again",
        Security,
        &["R2.2.1.2-3"],
        "Keep the offset of an open session when another client creates one for the same URL.",
        |test| Box::pin(again(test)),
    ),
];

/// Creates sessions and returns their ids.
async fn ids(test: &mut Test, count: usize) -> Result<Vec<String>, Stop> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(test.session(10).await?.id);
    }
    Ok(ids)
}

async fn guid(test: &mut Test) -> Outcome {
    let id = test.session(10).await?.id;
    let digits = id
        .trim_matches(['{', '}'])
        .split('-')
        .map(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(part.len()));
    if id.starts_with('{') && digits.eq([8, 4, 4, 4, 12].map(Some)) {
        return Ok(());
    }
    Err(Stop::Fail(format!("expected a GUID in braces; received {id:?}")))
}

async fn unique(test: &mut Test) -> Outcome {
    let path = test.new_path();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut session = test.session_at(path.clone(), 10).await?;
        if ids.contains(&session.id) {
            return Err(Stop::Fail(format!("session id {} is issued twice", session.id)));
        }
        // A server may allow one open session for each URL.
        session.cancel().await?;
        ids.push(session.id);
    }
    Ok(())
}

/// Requires that ids differ in many characters: counters and times differ in few.
async fn random(test: &mut Test) -> Outcome {
    let ids = ids(test, 6).await?;
    for pair in ids.windows(2) {
        let [first, second] = pair else { continue };
        let different = first.bytes().zip(second.bytes()).filter(|(a, b)| a != b).count();
        if different < 12 {
            return Err(Stop::Fail(format!(
                "expected unpredictable ids; {first} and {second} differ in {different} characters"
            )));
        }
    }
    Ok(())
}

async fn again(test: &mut Test) -> Outcome {
    let mut session = test.session(30).await?;
    session.accept(0..13).await?;
    let create = test.create(&session.path);
    let answer = test.exchange(&create).await?;
    if let Some(id) = answer.field("BITS-Session-Id").filter(|id| *id != session.id) {
        test.sessions.push((session.path.clone(), id));
    }
    let answer = session.fragment(13..30).await?;
    if answer.is_success() { answer.accepted(30) } else { no_restart(&answer) }
}

/// The session may be gone, but not silently at another offset.
fn no_restart(answer: &crate::server::answer::Answer) -> Outcome {
    match answer.status {
        416 => answer.fail("the session at its offset, or a refusal"),
        _ => answer.refused(),
    }
}
