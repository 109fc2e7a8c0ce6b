//! Uploads.

mod acks;
mod basics;
mod changes;
mod refusals;
mod reply;
mod resume;
mod retries;
