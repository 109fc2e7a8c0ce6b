//! JSON lines with the fields of the Elastic Common Schema.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::schema::ECS;
use super::values::records;
use crate::inspect::report::Report;

/// Prints one object per message. A dot in the name of a field denotes a nested object.
pub fn print(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    for record in records(reports) {
        let mut object = Map::new();
        for field in ECS {
            let value = (field.value)(&record);
            if !value.is_null() {
                insert(&mut object, field.name, value);
            }
        }
        writeln!(out, "{}", Value::Object(object))?;
    }
    Ok(())
}

fn insert(object: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((parent, name)) = name.split_once('.') else {
        object.insert(name.into(), value);
        return;
    };
    let child = object.entry(parent).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(child) = child {
        insert(child, name, value);
    }
}
