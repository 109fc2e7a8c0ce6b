//! The suite for servers, run against `bits-server`, and against doubles of it that have one fault each.

mod access;
mod application;
mod cases;
mod double;
mod faults;
mod ours;
mod rewriting;
mod seen;
#[path = "../support/tables.rs"]
mod tables;
