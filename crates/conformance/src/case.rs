//! Cases and their levels.

use std::fmt;

use serde::Serialize;

/// The severity of a [`Case`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum Level {
    /// The specification requires the behaviour.
    #[serde(rename = "MUST")]
    Must,
    /// The specification or Microsoft's documentation of the packets recommends the behaviour, or the
    /// specification requires it and clients work without it.
    #[serde(rename = "SHOULD")]
    Should,
    /// The specification leaves it open, but real clients and networks need the behaviour.
    #[serde(rename = "robustness")]
    Robustness,
    /// Other behaviour exposes the data or the server to an attacker.
    #[serde(rename = "security")]
    Security,
}

impl Level {
    /// Every level.
    pub const ALL: &'static [Self] = &[Self::Must, Self::Should, Self::Robustness, Self::Security];

    /// Returns a stable name: `MUST`, `SHOULD`, `robustness` or `security`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Robustness => "robustness",
            Self::Security => "security",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One behaviour that a suite examines.
///
/// # Example
///
/// ```
/// use bits_conformance::{Level, server};
///
/// let case = server::cases().find(|case| case.id == "fragment.gap.first").expect("a case");
/// assert_eq!(case.area(), "fragment");
/// assert_eq!(case.level, Level::Must);
/// assert_eq!(case.requirements, ["R3.2.5.2.6-1"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Case {
    /// A stable name of parts in lower case that are separated by dots. Its first part is the area.
    pub id: &'static str,
    /// The severity of the case.
    pub level: Level,
    /// The sentences of the specification on which the case is based.
    ///
    /// `R2.2.6-1` is the first sentence with MUST, SHOULD or MAY in section 2.2.6 of
    /// \[MC-BUP\]. Rules of HTTP are cited by RFC and section, such as `RFC9112-6.3`.
    pub requirements: &'static [&'static str],
    /// One sentence that says what the author of the server or client should do.
    pub advice: &'static str,
}

impl Case {
    /// Returns the area, which is the first part of the id.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(area, _)| area)
    }

    /// Returns the sections on which the case is based, without duplicates.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_conformance::server;
    ///
    /// let case = server::cases().find(|case| case.id == "fragment.gap.first").expect("a case");
    /// assert_eq!(case.sections(), ["[MC-BUP] 3.2.5.2.6"]);
    /// ```
    #[must_use]
    pub fn sections(&self) -> Vec<String> {
        let mut sections = Vec::new();
        for id in self.requirements {
            let section = match id.strip_prefix("RFC").and_then(|rest| rest.split_once('-')) {
                Some((number, section)) => format!("RFC {number} {section}"),
                None => {
                    let section = id.trim_start_matches('R');
                    let section = section.rsplit_once('-').map_or(section, |(section, _)| section);
                    format!("[MC-BUP] {section}")
                }
            };
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        sections
    }

    /// Compares the id with a pattern, in which `*` matches any characters. A pattern without `*`
    /// also matches the ids that continue it after a dot.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_conformance::server;
    ///
    /// let case = server::cases().find(|case| case.id == "fragment.gap.first").expect("a case");
    /// assert!(case.matches("fragment") && case.matches("*.first") && case.matches("f*gap*"));
    /// assert!(!case.matches("frag") && !case.matches("gap*"));
    /// ```
    #[must_use]
    pub fn matches(&self, pattern: &str) -> bool {
        if pattern.contains('*') {
            return matches_wildcards(self.id, pattern);
        }
        let rest = self.id.strip_prefix(pattern);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

fn matches_wildcards(text: &str, pattern: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(literal) else { return false };
    (0..=text.len())
        .any(|start| text.get(start..).is_some_and(|remaining| matches_wildcards(remaining, rest)))
}
