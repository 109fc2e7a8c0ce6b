//! Tests of `message`.

mod ack;
mod captures;
mod chunked;
mod contradictions;
mod extras;
mod extras_changes;
mod failures;
#[cfg(feature = "http")]
mod http_types;
mod presence;
mod presence_messages;
mod properties;
mod refusal_output;
mod refusals;
mod requirements;
mod response_status;
mod unreadable;
mod validate;
