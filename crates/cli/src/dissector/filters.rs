//! The display filters of the dissector, for its fields and for the documentation.

use std::fmt::Write as _;

use bits_proto::field::FieldName;

/// A display filter.
pub struct Filter {
    /// Identifier in the script.
    pub id: String,
    pub name: String,
    /// Type of the field, as a function of `ProtoField`.
    pub kind: &'static str,
    /// Label in the tree.
    pub label: String,
    pub meaning: String,
}

/// Filters of a message besides those of its fields: identifier, name, type, label, meaning.
const OF_MESSAGE: [[&str; 5]; 11] = [
    ["Kind", "kind", "string", "Kind", "kind of message, as in the JSON of `bits inspect`"],
    ["Message", "message", "string", "Message", "name of the message in the specification"],
    ["AckFor", "ack_for", "string", "Ack for", "kind of the request that a response answers"],
    ["Method", "method", "string", "Method", "method of a request"],
    ["Target", "target", "string", "Request target", "target of a request"],
    ["Status", "status_code", "uint16", "Status code", "status code of a response"],
    ["RangeFirst", "range.first", "uint64", "First byte", "first byte in Content-Range"],
    ["RangeLast", "range.last", "uint64", "Last byte", "last byte in Content-Range"],
    ["RangeTotal", "range.total", "uint64", "Total", "length of the entity in Content-Range"],
    ["Deviation", "deviation", "string", "Deviation", "name of a deviation from the specification"],
    ["Violation", "violation", "string", "Violation", "name of a violated rule"],
];

/// Returns the name of the filter of a field, without the prefix.
fn name_of(field: FieldName) -> String {
    match field {
        FieldName::ReceivedContentRange => "received".into(),
        // The names in the specification and in Microsoft's documentation of one value.
        FieldName::Error => name_of(FieldName::ErrorCode),
        field => {
            let mut name = String::new();
            for letter in format!("{field:?}").chars() {
                if letter.is_ascii_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
            }
            name
        }
    }
}

fn kind_of(field: FieldName) -> &'static str {
    match field {
        FieldName::ReceivedContentRange
        | FieldName::ContentLength
        | FieldName::HostIdFallbackTimeout => "uint64",
        FieldName::Error | FieldName::ErrorCode | FieldName::ErrorContext => "uint32",
        _ => "string",
    }
}

/// Returns the identifier of the filter of a field.
pub fn id_of(field: FieldName) -> String {
    match field {
        FieldName::Error => id_of(FieldName::ErrorCode),
        field => format!("{field:?}"),
    }
}

/// Returns all filters, except those of expert infos.
pub fn all() -> Vec<Filter> {
    let of_message = OF_MESSAGE.map(|[id, name, kind, label, meaning]| Filter {
        id: id.into(),
        name: format!("bits.{name}"),
        kind,
        label: label.into(),
        meaning: meaning.into(),
    });
    let fields = FieldName::ALL.iter().copied().filter(|field| *field != FieldName::Error);
    let of_fields = fields.map(|field| {
        let meaning = match field {
            FieldName::ErrorCode => format!("{} or {}", FieldName::Error, FieldName::ErrorCode),
            field => field.as_str().into(),
        };
        let (name, label) = (format!("bits.{}", name_of(field)), field.as_str().into());
        Filter { id: id_of(field), name, kind: kind_of(field), label, meaning }
    });
    let mut filters: Vec<_> = of_message.into_iter().chain(of_fields).collect();
    filters.sort_by(|a, b| a.name.cmp(&b.name));
    filters
}

/// Returns the filters as a table in Markdown.
pub fn table() -> String {
    let mut table = String::from("| filter | type | meaning |\n|---|---|---|\n");
    for Filter { name, kind, meaning, .. } in all() {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` | {kind} | {meaning} |");
    }
    table.push_str("| `bits.deviation.NAME` | expert info | deviation with this name |\n");
    table.push_str(
        "| `bits.violation.NAME` | expert info | violation of the rule with this name |\n",
    );
    table
}
