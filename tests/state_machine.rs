//! Generates the diagrams in the documentation of the state machines. If one is out of date, a test fails. To
//! update them:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --all-features --test library state_machine
//! ```

use crate::support;
use std::path::Path;

use bits_proto::state_machine::StateMachine;
use bits_proto::{backend, client, download, observer, server};
use support::diagram::diagram;

/// Path of the diagram of a machine, and its contents.
type Document = (&'static str, fn() -> String);

/// All state machines.
const MACHINES: &[Document] = &[
    ("src/server/state.md", diagram::<server::State>),
    ("src/client/upload.md", diagram::<client::State>),
    ("src/client/exchange.md", diagram::<client::Exchange>),
    ("src/download/client/state.md", diagram::<download::State>),
    ("src/download/client/exchange.md", diagram::<download::Exchange>),
    ("src/backend/state.md", diagram::<backend::State>),
    ("src/observer/state.md", diagram::<observer::State>),
];

#[test]
fn the_diagrams_are_the_tables() {
    for (document, diagram) in MACHINES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        let diagram = diagram();
        if std::env::var_os("BITS_BLESS").is_some() {
            std::fs::write(&path, diagram).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            continue;
        }
        let written = std::fs::read_to_string(&path);
        let written = written.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let bless = "BITS_BLESS=1 cargo test --all-features --test library state_machine";
        assert_eq!(written.replace("\r\n", "\n"), diagram, "{document} is out of date: {bless}");
    }
}

/// A state machine with everything that a diagram can contain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lamp {
    Off,
    HalfLit,
    Broken,
}

impl std::fmt::Display for Lamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::HalfLit => "half-lit",
            Self::Broken => "broken",
        })
    }
}

impl StateMachine for Lamp {
    type Event = char;
    const STATES: &'static [Self] = &[Self::Off, Self::HalfLit, Self::Broken];
    const EVENTS: &'static [char] = &['a', 'b', 'c'];

    fn next(self, event: char) -> Option<Self> {
        match (self, event) {
            (Self::Off, 'a' | 'c') => Some(Self::HalfLit),
            (Self::Off | Self::Broken, 'b') => Some(self),
            (Self::HalfLit, 'c') => Some(Self::Broken),
            _ => None,
        }
    }
}

#[test]
fn a_diagram_has_a_line_for_each_pair_of_states() {
    let expected = "\
```mermaid
stateDiagram-v2
    [*] --> off
    off --> off: b
    off --> half_lit: a, c
    half_lit --> broken: c
    broken --> broken: b
    broken --> [*]
```
";
    assert_eq!(diagram::<Lamp>(), expected);
}
