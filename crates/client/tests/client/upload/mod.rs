//! Uploads.

mod accounts;
mod acks;
mod basics;
mod changes;
mod refusals;
mod reply;
mod restarts;
mod resume;
mod retries;
mod sizes;
