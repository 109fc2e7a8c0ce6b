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
#[cfg(all(feature = "file", feature = "redis"))]
#[path = "../sessions/redis_server.rs"]
#[expect(dead_code, reason = "other tests restart Redis")]
mod redis_server;
mod refusals;
mod shutdown;
mod sockets;
mod support;
mod sweeps;
mod tracing;
mod uploads;
