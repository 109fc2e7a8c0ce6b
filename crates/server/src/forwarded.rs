//! The fields Forwarded (RFC 7239) and X-Forwarded-* of trusted proxies.

use http::{HeaderMap, HeaderName};

use crate::public_url::is_host;

/// Properties of the request of a client, as proxies report them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub(crate) proto: Option<String>,
    pub(crate) host: Option<String>,
    /// Path that a proxy removed, without a slash at its end.
    pub(crate) prefix: Option<String>,
}

/// Returns the values that the first of `proxies` trusted proxies added. A client can send these fields too,
/// so values before those are ignored. Invalid values are ignored as well.
pub(crate) fn forwarded(headers: &HeaderMap, proxies: usize) -> Forwarded {
    let elements = elements(headers, "forwarded");
    let element = trusted(&elements, proxies);
    let of_element = |name: &str| element.and_then(|element| parameter(element, name));
    let of_field = |name: &'static str| {
        let elements = self::elements(headers, name);
        trusted(&elements, proxies).map(|value| (*value).to_owned())
    };
    Forwarded {
        proto: of_element("proto")
            .or_else(|| of_field("x-forwarded-proto"))
            .map(|proto| proto.to_ascii_lowercase())
            .filter(|proto| proto == "http" || proto == "https"),
        host: of_element("host").or_else(|| of_field("x-forwarded-host")).filter(|it| is_host(it)),
        prefix: of_field("x-forwarded-prefix")
            .map(|prefix| prefix.trim_end_matches('/').to_owned())
            .filter(|prefix| is_prefix(prefix)),
    }
}

/// Returns the elements of a list that may be spread over several fields.
fn elements<'h>(headers: &'h HeaderMap, name: &'static str) -> Vec<&'h str> {
    let lines = headers.get_all(HeaderName::from_static(name)).iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(split_list).collect()
}

/// Splits a list at its commas outside quotes.
fn split_list(line: &str) -> Vec<&str> {
    split(line, ',')
}

fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|next: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match next {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        next == separator && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn trusted<'e, 'h>(elements: &'e [&'h str], proxies: usize) -> Option<&'e &'h str> {
    elements.get(elements.len().saturating_sub(proxies.max(1)))
}

/// Returns a parameter of an element such as `for=192.0.2.1;proto=https;host="a.example"`.
fn parameter(element: &str, name: &str) -> Option<String> {
    split(element, ';').into_iter().find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| unquoted(value.trim()))
    })
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(quoted) => {
            let mut is_escaped = false;
            let kept = quoted.chars().filter(|next| {
                is_escaped = *next == '\\' && !is_escaped;
                !is_escaped
            });
            kept.collect()
        }
        None => value.to_owned(),
    }
}

fn is_prefix(prefix: &str) -> bool {
    let is_absolute = prefix.is_empty() || prefix.starts_with('/') && !prefix.starts_with("//");
    is_absolute
        && prefix.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
}
