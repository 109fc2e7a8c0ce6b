//! Session ids.

use crate::Level::{Must, Robustness, Security};
use crate::server::answer::SESSION_NOT_FOUND;
use crate::server::entry::{Entry, Outcome};
use crate::server::packet::Packet;
use crate::server::session::Session;
use crate::server::test::Test;
use crate::server::variant::{Base, Edit, Expect, Variant};

const FIELD: &str = "BITS-Session-Id";
const UNKNOWN: &str = "{00000000-0000-4000-8000-000000000000}";
const NOT_FOUND: &[&str] = &["R3.2.5.2.3-8", "R3.2.5.2.3-9"];
const MISSING: &[&str] = &["R2.2.1.2-4", "R3.2.5.2.3-3"];

/// A packet with another session id.
macro_rules! other_id {
    ($id:literal, $level:expr, $base:ident, $edit:expr, $expect:expr, $advice:literal) => {
        Entry::variant(
            $id,
            $level,
            NOT_FOUND,
            $advice,
            Variant { base: Base::$base, edits: &[$edit], expect: $expect },
        )
    };
}

/// A packet without a session id.
macro_rules! missing {
    ($id:literal, $base:ident, $advice:literal) => {
        Entry::variant(
            $id,
            Must,
            MISSING,
            $advice,
            Variant { base: Base::$base, edits: &[Edit::Remove(FIELD)], expect: Expect::Refused },
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    other_id!(
        "session.unknown.fragment",
        Must,
        Fragment,
        Edit::Set(FIELD, UNKNOWN),
        Expect::Code(SESSION_NOT_FOUND),
        "Refuse a fragment of an unknown session with 500 and 0x8020001F, so that the client starts over."
    ),
    other_id!(
        "session.unknown.close",
        Must,
        Close,
        Edit::Set(FIELD, UNKNOWN),
        Expect::Code(SESSION_NOT_FOUND),
        "Refuse Close-Session of an unknown session with 500 and 0x8020001F."
    ),
    other_id!(
        "session.unknown.cancel",
        Must,
        Cancel,
        Edit::Set(FIELD, UNKNOWN),
        Expect::Code(SESSION_NOT_FOUND),
        "Refuse Cancel-Session of an unknown session with 500 and 0x8020001F."
    ),
    missing!("session.missing.fragment", Fragment, "Refuse a fragment without BITS-Session-Id."),
    missing!("session.missing.close", Close, "Refuse Close-Session without BITS-Session-Id."),
    missing!("session.missing.cancel", Cancel, "Refuse Cancel-Session without BITS-Session-Id."),
    other_id!(
        "session.id.empty",
        Must,
        Fragment,
        Edit::Set(FIELD, ""),
        Expect::Refused,
        "Refuse a fragment with an empty session id."
    ),
    other_id!(
        "session.id.path",
        Security,
        Fragment,
        Edit::Set(FIELD, "../../../../etc/passwd"),
        Expect::Refused,
        "Look session ids up in a table; never use them as a part of a path."
    ),
    other_id!(
        "session.id.wildcard",
        Security,
        Fragment,
        Edit::Set(FIELD, "*"),
        Expect::Refused,
        "Look session ids up in a table; never use them as a pattern."
    ),
    other_id!(
        "session.id.quote",
        Security,
        Fragment,
        Edit::Set(FIELD, "' OR '1'='1"),
        Expect::Refused,
        "Pass session ids to a database as parameters and not as a part of a query."
    ),
    other_id!(
        "session.id.long",
        Robustness,
        Fragment,
        Edit::Change(|packet| packet.set(FIELD, "A".repeat(3000))),
        Expect::Refused,
        "Refuse a session id of 3000 bytes."
    ),
    other_id!(
        "session.id.prefix",
        Security,
        Fragment,
        Edit::Change(|packet| shorten(packet, 1)),
        Expect::Refused,
        "Compare whole session ids: the beginning of an id is no id."
    ),
    other_id!(
        "session.id.suffix",
        Security,
        Fragment,
        Edit::Change(|packet| with_id(packet, |id| format!("{id}0"))),
        Expect::Refused,
        "Compare whole session ids: an id with more characters is another one."
    ),
    other_id!(
        "session.id.last_character",
        Security,
        Fragment,
        Edit::Change(|packet| with_id(packet, other_digit)),
        Expect::Code(SESSION_NOT_FOUND),
        "Compare whole session ids: one that differs in the last digit is unknown."
    ),
    other_id!(
        "session.id.lower_case",
        Robustness,
        Fragment,
        Edit::Change(|packet| with_id(packet, |id| id.to_ascii_lowercase())),
        Expect::Accepted,
        "Compare session ids as GUIDs, whose digits have no case."
    ),
    Entry::new(
        "session.other_url",
        Security,
        NOT_FOUND,
        "Bind a session to its URL: with its id, nothing may be written to another one.",
        |test| Box::pin(other_url(test)),
    ),
    Entry::new(
        "session.other_url.close",
        Security,
        NOT_FOUND,
        "Bind a session to its URL: Close-Session must not publish the entity at another one.",
        |test| Box::pin(other_url_close(test)),
    ),
    Entry::new(
        "session.foreign_bytes",
        Security,
        NOT_FOUND,
        "Store the bytes of a fragment in the session that it names.",
        |test| Box::pin(foreign_bytes(test)),
    ),
    Entry::new(
        "session.kept",
        Must,
        &["R3.2.5.2.3-8"],
        "Keep a session when its connection ends; clients resume after days.",
        |test| Box::pin(kept(test)),
    ),
];

fn with_id(packet: Packet, change: impl Fn(&str) -> String) -> Packet {
    let id = packet.fields.iter().find(|(name, _)| name == FIELD);
    let id = id.map(|(_, id)| String::from_utf8_lossy(id).into_owned()).unwrap_or_default();
    packet.set(FIELD, change(&id))
}

/// Removes characters from the end of the id, but not the closing brace only.
fn shorten(packet: Packet, count: usize) -> Packet {
    with_id(packet, |id| {
        let digits = id.trim_end_matches('}');
        digits.get(..digits.len().saturating_sub(count)).unwrap_or_default().to_owned()
    })
}

/// Replaces the last letter or digit.
fn other_digit(id: &str) -> String {
    let last = id.rfind(|it: char| it.is_ascii_alphanumeric()).unwrap_or_default();
    let digit = if id[last..].starts_with('0') { "1" } else { "0" };
    let end = id.get(last + 1..).unwrap_or_default();
    format!("{}{digit}{end}", &id[..last])
}

async fn other_url(test: &mut Test) -> Outcome {
    let mut session = test.session(57).await?;
    let other = test.new_path();
    let mut packet = session.fragment_packet(0..19);
    packet.target.clone_from(&other);
    session.exchange(&packet).await?.refused()?;
    session.accept(0..57).await?;
    test.complete(&mut session).await
}

async fn other_url_close(test: &mut Test) -> Outcome {
    let mut session = test.session(58).await?;
    session.accept(0..58).await?;
    let other = test.new_path();
    let mut packet = session.packet("Close-Session");
    packet.target.clone_from(&other);
    let answer = session.exchange(&packet).await?;
    test.is_absent(&other).await?;
    answer.refused()?;
    test.complete(&mut session).await
}

async fn foreign_bytes(test: &mut Test) -> Outcome {
    let mut first = test.session(59).await?;
    let mut second = test.session(59).await?;
    first.accept(0..30).await?;
    // On the connection of the first session.
    let packet = second.fragment_packet(0..59);
    first.exchange(&packet).await?.accepted(59)?;
    second.next = 59;
    test.complete(&mut first).await?;
    test.complete(&mut second).await
}

async fn kept(test: &mut Test) -> Outcome {
    let mut session: Session = test.session(61).await?;
    session.accept(0..33).await?;
    session.reconnect().await?;
    let ping = session.packet("Ping");
    session.exchange(&ping).await?;
    session.reconnect().await?;
    session.accept(33..61).await?;
    test.complete(&mut session).await
}
