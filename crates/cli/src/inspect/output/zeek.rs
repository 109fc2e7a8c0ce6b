//! Logs in the format of Zeek's ASCII writer.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::Value;

use super::schema::{Field, ZEEK};
use super::values::records;
use crate::inspect::report::Report;

const SEPARATOR: &str = "\t";
const SET_SEPARATOR: &str = ",";
const EMPTY: &str = "(empty)";
const UNSET: &str = "-";

/// Prints the lines that describe the columns.
pub fn print_header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "#separator \\x09")?;
    writeln!(out, "#set_separator{SEPARATOR}{SET_SEPARATOR}")?;
    writeln!(out, "#empty_field{SEPARATOR}{EMPTY}")?;
    writeln!(out, "#unset_field{SEPARATOR}{UNSET}")?;
    writeln!(out, "#path{SEPARATOR}bits")?;
    let columns = |part: fn(&Field) -> &'static str| {
        ZEEK.iter().map(part).collect::<Vec<_>>().join(SEPARATOR)
    };
    writeln!(out, "#fields{SEPARATOR}{}", columns(|field| field.name))?;
    writeln!(out, "#types{SEPARATOR}{}", columns(|field| field.kind))
}

/// Prints one line per message.
pub fn print(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    for record in records(reports) {
        let cells: Vec<_> = ZEEK.iter().map(|field| cell(&(field.value)(&record))).collect();
        writeln!(out, "{}", cells.join(SEPARATOR))?;
    }
    Ok(())
}

/// Returns a value as the text of a column.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => UNSET.into(),
        Value::Bool(true) => "T".into(),
        Value::Bool(false) => "F".into(),
        Value::String(text) if text.is_empty() => EMPTY.into(),
        Value::String(text) => escape(text, false),
        Value::Array(items) if items.is_empty() => EMPTY.into(),
        Value::Array(items) => {
            let items = items.iter().map(|it| escape(it.as_str().unwrap_or_default(), true));
            items.collect::<Vec<_>>().join(SET_SEPARATOR)
        }
        Value::Number(number) => number.to_string(),
        // No column is an object.
        Value::Object(_) => UNSET.into(),
    }
}

/// Escapes control characters, backslashes, and what would be read as something else: the text for
/// unset and empty values, and the separator of a set.
fn escape(text: &str, is_in_set: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    let is_mark = text == UNSET || text == EMPTY;
    for (index, letter) in text.char_indices() {
        let is_separator = is_in_set && letter == ',';
        if letter == '\\' {
            escaped.push_str("\\\\");
        } else if letter.is_control() || is_separator || (is_mark && index == 0) {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\x{byte:02x}");
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}
