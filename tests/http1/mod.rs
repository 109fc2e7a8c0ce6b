//! Tests of `http1`.

mod framing;
mod head_end;
mod limits;
mod splits;
