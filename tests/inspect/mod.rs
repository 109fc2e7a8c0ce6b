//! Tests of the example `inspect`.

mod captures;
mod compressed;
mod connections;
mod order;
mod random;
mod skipped;
mod tcp;
mod unsupported;
mod vectors;
mod violations;
