//! The challenges in WWW-Authenticate and Proxy-Authenticate.

use http::HeaderMap;
use http::header::{PROXY_AUTHENTICATE, WWW_AUTHENTICATE};

/// A scheme with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The scheme, as the peer spells it.
    pub scheme: String,
    /// The parameters, such as `realm="r", nonce="n"`.
    pub parameters: String,
}

/// Returns the challenges of a 401 or 407 response.
pub(super) fn challenges(status: u16, headers: &HeaderMap) -> Vec<Challenge> {
    let name = if status == 407 { PROXY_AUTHENTICATE } else { WWW_AUTHENTICATE };
    let mut challenges = Vec::new();
    for value in headers.get_all(name) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for element in elements(&value) {
            push_element(&mut challenges, element);
        }
    }
    challenges
}

/// Adds an element of the list: a scheme with or without its first parameter, or a further parameter of
/// the last scheme.
fn push_element(challenges: &mut Vec<Challenge>, element: &str) {
    let (first, rest) = element.split_once(char::is_whitespace).unwrap_or((element, ""));
    let rest = rest.trim();
    // `name = value` with spaces is a parameter.
    let is_scheme = is_token(first) && !rest.starts_with('=');
    if is_scheme {
        challenges.push(Challenge { scheme: first.into(), parameters: rest.into() });
    } else if let Some(last) = challenges.last_mut() {
        if !last.parameters.is_empty() {
            last.parameters.push_str(", ");
        }
        last.parameters.push_str(element);
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Splits a list at the commas outside of quotes.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    list.split(move |character: char| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => return true,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&'static str]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, http::HeaderValue::from_static(value));
        }
        challenges(401, &headers).into_iter().map(|it| (it.scheme, it.parameters)).collect()
    }

    fn pair(scheme: &str, parameters: &str) -> (String, String) {
        (scheme.into(), parameters.into())
    }

    #[test]
    fn several_challenges_share_a_field() {
        let digest = r#"realm="a, b", nonce="n\"x", qop="auth,auth-int""#;
        assert_eq!(
            parse(&[
                r#"Negotiate, NTLM, Digest realm="a, b", nonce="n\"x", qop="auth,auth-int", Basic realm="r""#
            ]),
            [
                pair("Negotiate", ""),
                pair("NTLM", ""),
                pair("Digest", digest),
                pair("Basic", r#"realm="r""#),
            ]
        );
    }

    #[test]
    fn challenges_may_be_spread_over_fields() {
        assert_eq!(
            parse(&["Negotiate oRQwEqADCgEB", "Basic realm = \"r\" , charset=\"UTF-8\""]),
            [pair("Negotiate", "oRQwEqADCgEB"), pair("Basic", "realm = \"r\", charset=\"UTF-8\""),]
        );
        assert_eq!(parse(&["", " , "]), []);
    }
}
