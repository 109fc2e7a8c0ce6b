//! Tests of `field`.

mod codes;
mod dates;
mod grammars;
mod hosts;
mod ids;
mod names;
mod numbers;
mod original_urls;
mod properties;
mod redirects;
mod texts;
mod traits;
mod urls;
