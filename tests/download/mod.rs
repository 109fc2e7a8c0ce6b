//! Downloads: values, the response of a server, and reading of responses.

mod client;
mod multipart;
mod plan;
mod random;
mod ranges;
mod responses;
mod values;
