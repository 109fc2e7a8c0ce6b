//! The challenges in WWW-Authenticate and Proxy-Authenticate.

use std::str::FromStr as _;

use digest_auth::{Algorithm, Charset, Qop, WwwAuthenticateHeader};
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

impl Challenge {
    /// Parses the parameters of the scheme Digest; `None` if they are invalid or not supported.
    pub fn digest(&self) -> Option<WwwAuthenticateHeader> {
        let parameters = elements(&self.parameters).map(|element| {
            let (name, value) = element.split_once('=')?;
            Some((name.trim_end(), unquote(value.trim_start())?))
        });
        let parameters = parameters.collect::<Option<Vec<_>>>()?;
        let is_repeated = |(at, (name, _)): (usize, &(&str, String))| {
            parameters.iter().take(at).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name))
        };
        if parameters.iter().enumerate().any(is_repeated) {
            return None;
        }
        let get = |name: &str| {
            let found = parameters.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        let is_true = |name| get(name).is_some_and(|it| it.eq_ignore_ascii_case("true"));
        let algorithm = match get("algorithm") {
            None => Algorithm::default(),
            Some(name) => {
                let name = name.to_ascii_uppercase().replace("-SESS", "-sess");
                Algorithm::from_str(&name).ok()?
            }
        };
        let qop = match get("qop") {
            None => None,
            Some(list) if list.split(',').any(|it| it.trim().eq_ignore_ascii_case("auth")) => {
                Some(vec![Qop::AUTH])
            }
            // The hash of auth-int covers the body, which is sent while it is read.
            Some(_) => return None,
        };
        Some(WwwAuthenticateHeader {
            domain: None,
            realm: get("realm")?.into(),
            nonce: get("nonce")?.into(),
            opaque: get("opaque").map(Into::into),
            stale: is_true("stale"),
            algorithm,
            qop,
            userhash: is_true("userhash"),
            charset: Charset::ASCII,
            nc: 0,
        })
    }
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

/// Returns the value of a token or a quoted string; `None` if the string does not end with a quote.
fn unquote(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.into()) };
    let (mut text, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
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

    fn digest(parameters: &str) -> Option<WwwAuthenticateHeader> {
        let challenge = Challenge { scheme: "Digest".into(), parameters: parameters.into() };
        challenge.digest()
    }

    #[test]
    fn the_parameters_of_digest_are_parsed() {
        let parsed = digest(
            r#"Realm = "äöüäöüäöüäöüäöüäöü, \"x\"" , nonce="n", qop="auth-int, auth, x", stale=TRUE, opaque="o", algorithm=SHA-256"#,
        )
        .unwrap();
        assert_eq!((&*parsed.realm, &*parsed.nonce), ("äöüäöüäöüäöüäöüäöü, \"x\"", "n"));
        assert_eq!(parsed.opaque.as_deref(), Some("o"));
        assert_eq!(parsed.qop, Some(vec![Qop::AUTH]));
        assert_eq!(parsed.algorithm.to_string(), "SHA-256");
        assert!(parsed.stale && !parsed.userhash);
        let parsed = digest(r#"realm="r", nonce="n", qop=Auth, algorithm=md5-Sess"#).unwrap();
        assert_eq!(parsed.algorithm.to_string(), "MD5-sess");
        assert_eq!(parsed.qop, Some(vec![Qop::AUTH]));
    }

    #[test]
    fn challenges_that_cannot_be_answered_are_ignored() {
        assert!(digest(r#"realm="r", nonce="n""#).is_some());
        for parameters in [
            r#"realm="r""#,
            r#"nonce="n""#,
            r#"realm="r", nonce="n", qop="auth-int""#,
            r#"realm="r", nonce="n", algorithm=MD6"#,
            r#"realm="r", nonce="n", opaque"#,
            r#"realm="r", nonce="n", nonce="m""#,
            r#"nonce="n", realm="r"#,
            r#"realm="r"x, nonce="n""#,
        ] {
            assert_eq!(digest(parameters), None, "{parameters}");
        }
    }
}
