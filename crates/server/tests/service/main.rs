//! Tests of the service at its public API.

#![allow(missing_docs)]

mod access;
mod bodies;
mod hooks;
mod overtaken;
mod support;
mod uploads;
