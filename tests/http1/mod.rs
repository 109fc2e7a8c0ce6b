//! Tests of `http1`.

mod chunked;
mod framing;
mod head_end;
mod limits;
mod splits;
