//! The library `bits-proto`, in whose tables, mappings and limits one value can be changed at run time.

#![allow(missing_docs, warnings, clippy::all, clippy::pedantic)]

pub mod mutation;

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
