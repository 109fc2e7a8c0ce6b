//! Tests of the example `inspect`.

mod captures;
mod connections;
mod order;
mod random;
mod skipped;
mod tcp;
mod vectors;
mod violations;
