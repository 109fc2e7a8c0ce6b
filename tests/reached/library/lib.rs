//! The library `bits-proto`, which counts the transitions of its state machines.

#![allow(missing_docs, warnings, clippy::all, clippy::pedantic)]

pub mod transitions;

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
