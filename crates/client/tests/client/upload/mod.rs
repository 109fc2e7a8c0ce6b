//! Uploads.

mod basics;
