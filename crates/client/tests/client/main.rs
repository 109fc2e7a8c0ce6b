//! Tests of uploads and downloads over loopback.

mod auth;
mod download;
mod support;
mod transport;
mod upload;
mod urls;
