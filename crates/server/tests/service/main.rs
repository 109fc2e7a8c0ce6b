//! Tests of the service at its public API.

#![allow(missing_docs)]

mod access;
mod bodies;
mod client;
mod downloads;
mod hooks;
mod lost_responses;
mod metrics;
#[cfg(feature = "notify")]
mod notify;
mod overtaken;
mod proxies;
mod shutdown;
mod sockets;
mod support;
mod sweeps;
mod tracing;
mod uploads;
