//! Tests of `http1`.

mod head_end;
mod limits;
mod splits;
