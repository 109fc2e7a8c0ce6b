//! The cells of all tables, and the values that they can have.

use std::any::type_name;
use std::fmt::{self, Display};

use bits_proto::download::field::FieldName as DownloadField;
use bits_proto::download::presence as download_presence;
use bits_proto::message::{MessageKind, presence};
use bits_proto::mutation::{DOWNLOAD_PRESENCES, PRESENCES};
use bits_proto::observer::{self, SequenceRule};
use bits_proto::state_machine::StateMachine;
use bits_proto::{backend, client, download, server};

use crate::{limits, mappings};

/// A cell with its name, and the numbers and names of the values that it does not have.
pub struct Cell {
    pub table: &'static str,
    pub number: u64,
    pub name: String,
    pub values: Vec<(u64, String)>,
}

/// Another value for a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutation {
    pub table: &'static str,
    pub cell: String,
    pub value: String,
    /// The change as the hooks read it.
    pub change: String,
}

impl Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.name)
    }
}

impl Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, cell, value, .. } = self;
        write!(f, "{table}: {cell} -> {value}")
    }
}

impl Cell {
    /// Creates a cell with this value, which can have others.
    pub fn new<T: PartialEq>(
        table: &'static str,
        number: u64,
        name: String,
        value: &T,
        all: &[(T, String)],
    ) -> Self {
        let others = (0..).zip(all).filter(|(_, (other, _))| other != value);
        let values = others.map(|(index, (_, name))| (index, name.clone())).collect();
        Self { table, number, name, values }
    }

    pub fn mutations(&self) -> Vec<Mutation> {
        let mutation = |(number, value): &(u64, String)| Mutation {
            table: self.table,
            cell: self.name.clone(),
            value: value.clone(),
            change: format!("{}\t{}\t{number}", self.table, self.number),
        };
        self.values.iter().map(mutation).collect()
    }
}

/// Returns the cells of all tables.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    limits::add(&mut cells);
    mappings::add(&mut cells);
    messages(&mut cells);
    downloads(&mut cells);
    observer(&mut cells);
    machine::<backend::State>(&mut cells);
    machine::<download::State>(&mut cells);
    machine::<download::Exchange>(&mut cells);
    machine::<client::State>(&mut cells);
    machine::<client::Exchange>(&mut cells);
    machine::<server::State>(&mut cells);
    cells
}

/// Adds the table of a state machine. Each cell is another state or illegal.
fn machine<S: StateMachine>(cells: &mut Vec<Cell>) {
    let illegal = (None, "illegal".to_string());
    let states = S::STATES.iter().map(|state| (Some(*state), state.to_string()));
    let all: Vec<_> = std::iter::once(illegal).chain(states).collect();
    for (row, state) in S::STATES.iter().enumerate() {
        for (column, event) in S::EVENTS.iter().enumerate() {
            let name = format!("{state}, {event}");
            let number = bits_proto::mutation::at(row, column);
            cells.push(Cell::new(type_name::<S>(), number, name, &state.next(*event), &all));
        }
    }
}

/// Adds the table of the observer. Each cell is another state or a violated rule.
fn observer(cells: &mut Vec<Cell>) {
    let states = observer::State::ALL.iter().map(|state| (Ok(*state), state.to_string()));
    let rules = SequenceRule::ALL.iter().map(|rule| (Err(*rule), format!("violates {rule}")));
    let all: Vec<_> = states.chain(rules).collect();
    for (row, (state, values)) in observer::TABLE.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let name = format!("{state}, {}", observer::Event::ALL[column]);
            let number = bits_proto::mutation::at(row, column);
            cells.push(Cell::new(type_name::<observer::State>(), number, name, value, &all));
        }
    }
}

fn messages(cells: &mut Vec<Cell>) {
    let all = PRESENCES.map(|it| (it, format!("{it:?}")));
    for (row, (field, _)) in presence::TABLE.iter().enumerate() {
        for (column, kind) in MessageKind::ALL.iter().enumerate() {
            let name = format!("{kind}, {}", field.as_str());
            let (number, value) =
                (bits_proto::mutation::at(row, column), presence::of(*kind, *field));
            cells.push(Cell::new("message::presence", number, name, &value, &all));
        }
    }
}

fn downloads(cells: &mut Vec<Cell>) {
    let all = DOWNLOAD_PRESENCES.map(|it| (it, format!("{it:?}")));
    for (row, field) in DownloadField::ALL.iter().enumerate() {
        for (column, kind) in download_presence::MessageKind::ALL.iter().enumerate() {
            let name = format!("{}, {field}", kind.name());
            let value = download_presence::of(*kind, *field);
            let number = bits_proto::mutation::at(row, column);
            cells.push(Cell::new("download::presence", number, name, &value, &all));
        }
    }
}
