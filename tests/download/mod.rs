//! Downloads: values, the response of a server, and reading of responses.

mod client;
#[cfg(feature = "http")]
mod http_types;
mod multipart;
mod plan;
mod random;
mod ranges;
mod responses;
mod values;
