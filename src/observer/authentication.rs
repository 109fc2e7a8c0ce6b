//! The first requests of an authentication, which may have no body.
//!
//! NTLM and Negotiate need several requests. Many HTTP stacks send all but the last one with
//! Content-Length 0, because the server refuses them in any case. A client that expects a challenge
//! does so even without a token.

use crate::error::Error;
use crate::util::ascii_case::eq_ignore_case;

/// A Fragment with Content-Length 0, which is an error if the server does not ask for credentials.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeferredError {
    /// The number of the packet.
    pub(super) number: u32,
    pub(super) error: Error,
}

/// Ignores the offset of the error, which only heads that were parsed from bytes have.
impl PartialEq for DeferredError {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && self.error.at(None) == other.error.at(None)
    }
}

impl Eq for DeferredError {}

/// Returns true if the request has a token of NTLM or Negotiate, for the server or for a proxy.
///
/// ```text
/// credentials = ( "NTLM" / "Negotiate" ) 1*SP token68
/// ```
pub(super) fn has_token<'b>(fields: impl IntoIterator<Item = (&'b str, &'b [u8])>) -> bool {
    fields.into_iter().any(|(name, value)| {
        let name = name.as_bytes();
        let is_credentials = eq_ignore_case!(name, b"Authorization")
            || eq_ignore_case!(name, b"Proxy-Authorization");
        is_credentials && is_token(value.trim_ascii())
    })
}

fn is_token(credentials: &[u8]) -> bool {
    let scheme_len = credentials.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let Some((scheme, token)) = credentials.split_at_checked(scheme_len) else { return false };
    let is_scheme = eq_ignore_case!(scheme, b"NTLM") || eq_ignore_case!(scheme, b"Negotiate");
    is_scheme && matches!(token, [b' ', rest @ ..] if !rest.trim_ascii().is_empty())
}
