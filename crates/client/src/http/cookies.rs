//! The cookies of one transfer, with which balancers keep a session on one server.

use cookie_store::serde::json;
use cookie_store::{CookieStore, RawCookie};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use url::Url;

/// The cookies of one transfer.
#[derive(Debug, Default)]
pub(super) struct Cookies(CookieStore);

impl Cookies {
    /// Restores the cookies of an earlier process. Invalid text counts as none.
    pub fn restore(text: &str) -> Self {
        Self(json::load_all(text.as_bytes()).unwrap_or_default())
    }

    /// Returns all cookies as text, also those that end with the session.
    pub fn store(&self) -> String {
        let mut text = Vec::new();
        match json::save_incl_expired_and_nonpersistent(&self.0, &mut text) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Returns the value of Cookie for a request.
    pub fn value(&self, url: &Url) -> Option<HeaderValue> {
        let pairs = self.0.get_request_values(url);
        let pairs = pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value).filter(|_| !pairs.is_empty())
    }

    /// Takes the cookies of a response.
    pub fn take(&mut self, headers: &HeaderMap, url: &Url) {
        let cookies = headers.get_all(SET_COOKIE).into_iter().filter_map(|value| {
            let text = value.to_str().ok()?;
            RawCookie::parse(text.to_owned()).ok()
        });
        self.0.store_response_cookies(cookies, url);
    }
}
