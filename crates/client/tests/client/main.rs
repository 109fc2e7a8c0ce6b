//! Tests of uploads and downloads over loopback.

mod support;
mod upload;
