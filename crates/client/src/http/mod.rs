//! HTTP with reqwest: URLs, credentials, cookies, TLS, proxies and connections.

mod auth;
mod body;
mod challenge;
mod config;
mod cookies;
mod exchange;
mod headers;
mod tls;
mod url;

pub(crate) use auth::Credentials;
pub(crate) use body::{ResponseBody, drain};
pub(crate) use config::HttpConfig;
pub(crate) use exchange::{Connection, Exchange, Failed, LastFailure};
pub(crate) use headers::{check_headers, invalid_extra, parse_name, retry_delay};
pub(crate) use url::TransferUrl;
