//! Tests of the example `inspect`.

mod boundaries;
mod captures;
mod compressed;
mod connections;
mod coverage;
mod encapsulations;
mod formats;
mod guide;
mod layout;
mod order;
mod random;
mod search;
mod skipped;
mod summary;
mod tcp;
mod unsupported;
mod vectors;
mod violations;
