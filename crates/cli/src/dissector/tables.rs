//! The tables of `bits_proto` in Lua.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display, Write as _};

use bits_proto::deviation::Deviation;
use bits_proto::error::ErrorKind;
use bits_proto::field::{
    ContentEncoding, ContentName, ErrorContext, FieldName, HResult, PacketType, ReplyUrl,
    SessionId, SupportedProtocols,
};
use bits_proto::limits::Limits;
use bits_proto::message::presence::{self, Presence};
use bits_proto::message::{METHOD, MessageKind, ParseOptions};
use bits_proto::observer::Violation;

use super::filters;
use crate::inspect::decode::packet_name;

/// Returns text as a string in Lua.
fn quoted(text: impl Display) -> String {
    let mut quoted = String::from('"');
    for letter in text.to_string().chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted + "\""
}

/// A table in Lua that is being written.
struct Table(String);

impl Table {
    /// Starts a table. In tables of names that the other parts use, an unknown name is an error.
    fn new(name: &str) -> Self {
        Self(format!("local {name} = {{\n"))
    }

    fn entry(&mut self, key: impl Display, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "  [{key}] = {value},");
    }

    fn named(&mut self, key: impl Debug, value: impl Display) {
        self.entry(quoted(format!("{key:?}")), value);
    }

    fn end(self) -> String {
        self.0 + "}\n"
    }
}

/// Returns all tables.
pub fn tables() -> String {
    [
        constants(),
        deviations(),
        errors(),
        fields(),
        kinds(),
        packets(),
        codes(),
        filters(),
        limits(),
        STRICT.into(),
    ]
    .concat()
}

/// Makes unknown names an error.
const STRICT: &str = "\
for _, names in ipairs({ D, E, F, K }) do
  setmetatable(names, { __index = function(_, name) error(\"unknown name \" .. tostring(name)) end })
end
";

fn constants() -> String {
    let mut text = String::new();
    let mut constant = |name: &str, value: String| {
        let _ = writeln!(text, "local {name} = {value}");
    };
    constant("TITLE", quoted("BITS Upload Protocol"));
    constant("METHOD", quoted(METHOD));
    constant("ACK", quoted(PacketType::Ack.as_str().to_lowercase()));
    constant("CODING", quoted(ContentEncoding::Identity.as_str()));
    // Kind of a request with an unknown packet type.
    constant("OTHER", quoted("other"));
    // The section that refers to HTTP.
    constant("SECTION_OF_HTTP", quoted("2.2.1"));
    let statuses = (100..600).filter(|status| Violation::status_needs_error_code(*status));
    let statuses: Vec<_> = statuses.map(|status| format!("[{status}] = true")).collect();
    constant("NEEDS_CODE", format!("{{ {} }}", statuses.join(", ")));
    text
}

fn deviations() -> String {
    let mut table = Table::new("D");
    for deviation in Deviation::ALL {
        let violation = Violation::from(*deviation);
        let (name, section) = (quoted(deviation.name()), quoted(deviation.section()));
        let (text, severity) = (quoted(deviation.description()), quoted(violation.severity()));
        table.named(
            deviation,
            format_args!(
                "{{ name = {name}, section = {section}, text = {text}, severity = {severity} }}"
            ),
        );
    }
    table.end()
}

fn errors() -> String {
    let mut table = Table::new("E");
    let is_of_peer = |kind: &&ErrorKind| !matches!(kind, ErrorKind::BufferTooSmall { .. });
    for kind in ErrorKind::ALL.iter().filter(is_of_peer) {
        let severity = quoted(Violation::severity_of(*kind));
        let (name, text) = (quoted(kind.name()), quoted(kind));
        table
            .named(kind, format_args!("{{ name = {name}, text = {text}, severity = {severity} }}"));
    }
    table.end()
}

/// Returns the fields by identifier, in the order of the presence table, and by name.
fn fields() -> String {
    let (mut fields, mut order) = (Table::new("F"), String::from("local FIELDS = {"));
    let mut by_name = Table::new("FIELD");
    for (field, presences) in presence::TABLE {
        let (name, section) = (quoted(field), quoted(field.section()));
        let absence = match presences.contains(&Presence::Expected) {
            true => format!("D.{:?}", presence::absence(field)),
            false => "nil".into(),
        };
        let is_absent = presence::is_absent_when_empty(field);
        fields.named(
            field,
            format_args!(
                "{{ id = \"{field:?}\", name = {name}, section = {section}, absence = {absence}, \
                 absent_when_empty = {is_absent} }}"
            ),
        );
        let _ = write!(order, " F.{field:?},");
        by_name.entry(quoted(field.as_str().to_lowercase()), format_args!("F.{field:?}"));
    }
    for (name, field) in FieldName::OTHER_SPELLINGS {
        by_name.entry(quoted(name.to_lowercase()), format_args!("F.{field:?}"));
    }
    [fields.end(), order + " }\n", by_name.end()].concat()
}

/// Returns the kinds of messages with the columns of the presence table.
fn kinds() -> String {
    let (mut table, mut acks) = (Table::new("K"), String::new());
    let mut of_success = BTreeSet::new();
    for kind in MessageKind::ALL {
        let (mut columns, is_success) = (String::new(), kind.is_success());
        for (field, _) in presence::TABLE {
            let presence = presence::of(*kind, field);
            let _ = write!(columns, " {field:?} = \"{presence:?}\",");
            let is_carried =
                matches!(presence, Presence::Required | Presence::Expected | Presence::Optional);
            if is_success && is_carried {
                of_success.insert(format!("{field:?} = true"));
            }
        }
        let (name, section) = (quoted(kind), quoted(kind.section()));
        let kind_name = quoted(kind_name(*kind));
        table.named(
            kind,
            format_args!(
                "{{ name = {name}, section = {section}, kind = {kind_name}, \
                 is_success = {is_success}, presence = {{{columns} }} }}"
            ),
        );
        match answer(*kind) {
            Some(ack) => {
                let _ =
                    writeln!(acks, "K.{kind:?}.ack, K.{kind:?}.answer = K.{ack:?}, {kind_name}");
            }
            None if matches!(
                kind,
                MessageKind::NotificationByReference | MessageKind::NotificationByValue
            ) =>
            {
                let _ = writeln!(acks, "K.{kind:?}.answer = \"notification\"");
            }
            None => {}
        }
    }
    let of_success = of_success.into_iter().collect::<Vec<_>>().join(", ");
    [table.end(), acks, format!("local IS_OF_SUCCESS = {{ {of_success} }}\n")].concat()
}

/// Returns the Ack of a request.
fn answer(kind: MessageKind) -> Option<MessageKind> {
    Some(match kind {
        MessageKind::Ping => MessageKind::PingAck,
        MessageKind::CreateSession => MessageKind::CreateSessionAck,
        MessageKind::Fragment => MessageKind::FragmentAck,
        MessageKind::CloseSession => MessageKind::CloseSessionAck,
        MessageKind::CancelSession => MessageKind::CancelSessionAck,
        _ => return None,
    })
}

/// Returns the packet type of a request.
fn packet_type(kind: MessageKind) -> Option<PacketType> {
    PacketType::ALL.iter().copied().find(|it| it.as_str() == kind.name())
}

/// Returns the kind as `bits inspect` prints it.
fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::NotificationByReference | MessageKind::NotificationByValue => {
            "notification-request"
        }
        MessageKind::NotificationResponse => "notification-response",
        kind => packet_name(packet_type(kind).unwrap_or(PacketType::Ack)),
    }
}

fn packets() -> String {
    let mut table = Table::new("PACKET");
    for kind in MessageKind::ALL {
        if let Some(packet_type) = packet_type(*kind) {
            let text = packet_type.as_str().to_lowercase();
            table.entry(quoted(text), format_args!("K.{kind:?}"));
        }
    }
    table.end()
}

fn codes() -> String {
    let mut codes = Table::new("HRESULT");
    for code in HResult::KNOWN {
        codes.entry(code, quoted(code.name().unwrap_or_default()));
    }
    let mut contexts = Table::new("CONTEXT");
    contexts.entry(ErrorContext::SERVER, quoted("server"));
    contexts.entry(ErrorContext::REMOTE_APPLICATION, quoted("application"));
    [codes.end(), contexts.end()].concat()
}

fn filters() -> String {
    let mut table = Table::new("FILTER");
    for filter in filters::all() {
        let (name, label) = (quoted(filter.name), quoted(filter.label));
        let names = match filter.id.as_str() {
            "ErrorCode" => "HRESULT",
            "ErrorContext" => "CONTEXT",
            _ => "nil",
        };
        let kind = quoted(filter.kind);
        table.entry(
            quoted(filter.id),
            format_args!("{{ name = {name}, type = {kind}, label = {label}, names = {names} }}"),
        );
    }
    let mut of_fields = Table::new("FILTER_OF");
    for field in FieldName::ALL {
        of_fields.named(field, quoted(filters::id_of(*field)));
    }
    [table.end(), of_fields.end()].concat()
}

fn limits() -> String {
    let mut table = Table::new("LIMIT");
    let mut limit = |name: &str, value: usize| table.entry(quoted(name), value);
    limit("value", ParseOptions::DEFAULT.max_value);
    limit("session_id", SessionId::MAX_LEN);
    limit("content_name", ContentName::MAX_LEN);
    limit("reply_url", ReplyUrl::MAX_LEN);
    limit("protocols", SupportedProtocols::MAX);
    limit("head", Limits::DEFAULT.head_bytes);
    // Wireshark reassembles messages up to this length.
    limit("reassembled", i32::MAX as usize);
    // Larger numbers than Lua has, which are compared as text.
    table.entry(quoted("number"), quoted(u64::MAX));
    table.entry(quoted("timeout"), quoted(u32::MAX));
    table.entry(quoted("port"), quoted(u16::MAX));
    table.end()
}
