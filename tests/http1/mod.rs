//! Tests of `http1`.

mod chunked;
mod fast_path;
mod framing;
mod head_end;
mod limits;
mod splits;
