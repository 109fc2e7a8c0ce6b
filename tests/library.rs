//! The tests of the library that need no program, no allocator of their own and no minutes: one crate, so
//! that what they share is built once.

mod common;
#[path = "samples/conversations.rs"]
mod conversations;
#[path = "samples/judged.rs"]
mod judged;
#[path = "samples/messages.rs"]
mod messages;
#[path = "samples/notifications.rs"]
mod notifications;
#[path = "samples/errors.rs"]
mod sample_errors;
#[path = "samples/values.rs"]
mod values;
#[cfg(feature = "std")]
#[path = "common/watch.rs"]
mod watch;
#[cfg(feature = "std")]
mod world;

mod answers;
mod backend;
mod backend_refusals;
mod backend_stored;
mod backend_timers;
mod captures;
mod client_close;
mod client_decisions;
mod client_fallback;
mod client_fragments;
mod client_mishaps;
mod client_random;
mod client_states;
mod client_stored;
mod client_timers;
mod configured;
mod conformance_gaps;
mod conformance_sequence;
mod contradictions;
mod deviations;
mod errors;
mod extras;
mod field_codes;
mod field_hosts;
mod field_ids;
mod field_names;
mod field_properties;
mod field_texts;
mod field_urls;
mod fields;
mod head_end;
mod head_limits;
#[cfg(feature = "http")]
mod http_types;
mod observer;
mod observer_doubt;
mod observer_errors;
#[cfg(feature = "std")]
mod observer_joins;
mod observer_messages;
mod observer_rules;
mod observer_sessions;
mod observer_states;
mod presence;
mod presence_messages;
mod printed;
mod properties;
mod refusals;
mod server_answers;
mod server_decisions;
mod server_random;
mod server_states;
mod server_stored;
mod server_stores;
mod server_table;
mod server_time;
mod server_work;
mod splits;
mod state_diagrams;
mod told;
