//! Entities and sessions in object stores.

#![cfg(feature = "object")]

mod azure;
mod check;
mod cluster;
mod cost;
mod driver;
mod faults;
mod fencing;
mod memory;
mod observed;
mod s3;
