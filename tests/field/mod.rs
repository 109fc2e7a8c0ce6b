//! Tests of `field`.

mod codes;
mod hosts;
mod ids;
mod names;
mod numbers;
mod original_urls;
mod properties;
mod texts;
mod traits;
mod urls;
