//! Tests of `bits inspect`: of its modules, and of the program.

#[path = "../support"]
mod support {
    pub mod browser;
    pub mod capture;
    pub mod cases;
    pub mod dialogues;
    pub mod encapsulation;
    pub mod inspector;
    pub mod page_checks;

    pub use bits_proto_test_tools::{installed, vectors};
}

mod bodies;
mod boundaries;
mod browser;
mod captures;
mod compressed;
mod connections;
mod coverage;
mod dissector;
mod downloads;
mod encapsulations;
mod formats;
mod guide;
mod layout;
mod one_direction;
mod order;
mod page;
mod page_cases;
mod page_contents;
mod page_limits;
mod page_plot;
mod random;
mod search;
mod skipped;
mod summary;
mod tcp;
mod unsupported;
mod vectors;
mod violations;
