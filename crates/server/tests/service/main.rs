//! Tests of the service at its public API.

#![allow(missing_docs)]

mod access;
mod bodies;
mod client;
mod concurrent;
mod downloads;
mod equivalence;
mod hooks;
mod labels;
mod lost_responses;
mod metrics;
#[cfg(feature = "notify")]
mod notify;
mod overtaken;
mod proxies;
mod refusals;
mod shutdown;
mod sockets;
mod support;
mod sweeps;
mod tracing;
mod uploads;
