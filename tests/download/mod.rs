//! Downloads: values, the response of a server, and reading of responses.

mod byte_range;
mod client;
mod field;
#[cfg(feature = "http")]
mod http_types;
mod multipart;
mod plan;
mod presence;
mod random;
mod ranges;
mod responses;
