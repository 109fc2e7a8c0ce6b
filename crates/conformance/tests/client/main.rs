//! The suite for clients, run against `bits-client`, and against doubles of it that have one fault each.

mod cases;
mod double;
mod faults;
mod matrix;
mod ours;
#[path = "../support/tables.rs"]
mod tables;
