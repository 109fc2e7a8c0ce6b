//! Tests of `field`.

mod codes;
mod hosts;
mod ids;
mod names;
mod numbers;
mod properties;
mod texts;
mod traits;
mod urls;
