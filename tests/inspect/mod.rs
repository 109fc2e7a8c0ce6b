//! Tests of the example `inspect`.

mod bodies;
mod boundaries;
mod captures;
mod compressed;
mod connections;
mod coverage;
mod downloads;
mod encapsulations;
mod formats;
mod guide;
mod layout;
mod many_connections;
mod one_direction;
mod order;
mod random;
mod search;
mod skipped;
mod summary;
mod tcp;
mod unsupported;
mod vectors;
mod violations;
