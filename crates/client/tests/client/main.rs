//! Tests of uploads and downloads over loopback.

mod auth;
mod download;
mod end_to_end;
mod processes;
mod support;
mod transport;
mod upload;
mod urls;
