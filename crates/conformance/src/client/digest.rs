//! Challenges for Digest authentication, and the verification of their answers (RFC 7616).

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::message::{Request, origin_form};
use super::setup::Account;

/// The beginning of each nonce; a number follows.
const NONCE: &str = "bits-conformance-";
/// A value that clients return unchanged.
const OPAQUE: &str = "b3BhcXVl";

/// The hash function of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
    /// An algorithm that does not exist.
    Unknown,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Unknown => "BITS-CONFORMANCE",
        }
    }

    fn hash(self, bytes: &[u8]) -> String {
        let hash = match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Md5 | Self::Unknown => Md5::digest(bytes).to_vec(),
        };
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A challenge with the scheme Digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge {
    pub(super) realm: &'static str,
    /// The number of the nonce.
    pub(super) nonce: usize,
    pub(super) algorithm: Algorithm,
    /// The quality of protection that the server accepts.
    pub(super) qop: &'static str,
    pub(super) is_stale: bool,
}

/// A valid answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The number of the nonce.
    pub(super) nonce: usize,
    /// The number of the request with this nonce; `None` in answers without `qop`.
    pub(super) count: Option<u32>,
}

impl Challenge {
    pub(super) const fn new() -> Self {
        Self {
            realm: "conformance",
            nonce: 1,
            algorithm: Algorithm::Md5,
            qop: "auth",
            is_stale: false,
        }
    }

    /// Returns the challenge as a field value.
    pub(super) fn value(&self) -> String {
        let Self { realm, nonce, qop, .. } = self;
        let algorithm = self.algorithm.name();
        let stale = if self.is_stale { ", stale=true" } else { "" };
        format!(
            "Digest realm=\"{realm}\", nonce=\"{NONCE}{nonce}\", qop=\"{qop}\", algorithm={algorithm}, \
             opaque=\"{OPAQUE}\"{stale}"
        )
    }

    /// Verifies an answer to the challenge, or to one that differs in its nonce only.
    ///
    /// # Errors
    ///
    /// The reason why the answer is invalid.
    pub(super) fn verify(
        &self,
        account: Account,
        request: &Request,
        answer: &str,
    ) -> Result<Answer, String> {
        let answer = Parameters::parse(answer).ok_or("is not a list of parameters")?;
        answer.require("username", account.user)?;
        answer.require("realm", self.realm)?;
        answer.require("opaque", OPAQUE)?;
        let algorithm = self.algorithm.name();
        // MD5 is the default, and older clients know no other.
        if answer.find("algorithm").is_some() || self.algorithm != Algorithm::Md5 {
            answer.require("algorithm", algorithm)?;
        }
        if answer.find("qop").is_some() {
            answer.require("qop", self.qop)?;
        }
        let uri = answer.get("uri")?;
        if origin_form(uri) != request.target {
            return Err(format!("has the uri {uri:?}; expected {:?}", request.target));
        }
        let nonce = answer.get("nonce")?;
        let number = nonce.strip_prefix(NONCE).and_then(|number| number.parse().ok());
        let number = number.ok_or(format!("has the nonce {nonce:?}, which was not sent"))?;
        let count = answer.count()?;
        let hash = answer.hash(self.algorithm, account.password, &request.method, &request.body)?;
        answer.require("response", &hash)?;
        Ok(Answer { nonce: number, count })
    }
}

/// The parameters of an answer.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(answer: &str) -> Option<Self> {
        let (scheme, mut rest) = answer.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut parameters = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Some(Self(parameters));
            }
            let (name, after) = rest.split_once('=')?;
            let (value, after) = value(after.trim_start())?;
            parameters.push((name.trim_end().into(), value));
            rest = after;
        }
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn get(&self, name: &str) -> Result<&str, String> {
        self.find(name).ok_or_else(|| format!("has no {name}"))
    }

    fn require(&self, name: &str, expected: &str) -> Result<(), String> {
        match self.get(name)? {
            value if value == expected => Ok(()),
            value => Err(format!("has the {name} {value:?}; expected {expected:?}")),
        }
    }

    /// Returns the number of the request in an answer with `qop`.
    fn count(&self) -> Result<Option<u32>, String> {
        if self.find("qop").is_none() {
            return Ok(None);
        }
        let digits = self.get("nc")?;
        let is_valid = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let count = u32::from_str_radix(digits, 16).ok().filter(|_| is_valid);
        let error = || format!("has the nc {digits:?}; expected eight hexadecimal digits");
        count.map(Some).ok_or_else(error)
    }

    /// Returns the valid response for these parameters.
    fn hash(
        &self,
        algorithm: Algorithm,
        password: &str,
        method: &str,
        body: &[u8],
    ) -> Result<String, String> {
        let secret = format!("{}:{}:{password}", self.get("username")?, self.get("realm")?);
        let secret = algorithm.hash(secret.as_bytes());
        let mut parts = vec![secret.as_str(), self.get("nonce")?];
        let mut subject = format!("{method}:{}", self.get("uri")?);
        if let Some(qop) = self.find("qop") {
            parts.extend([self.get("nc")?, self.get("cnonce")?, qop]);
            if qop == "auth-int" {
                subject = format!("{subject}:{}", algorithm.hash(body));
            }
        }
        let subject = algorithm.hash(subject.as_bytes());
        parts.push(&subject);
        Ok(algorithm.hash(parts.join(":").as_bytes()))
    }
}

/// Splits a token or a quoted string from the rest of a list.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        return Some((token.into(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[position + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_valid() {
        for (algorithm, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let answer = Parameters::parse(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                 uri=\"/dir/index.html\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            );
            let answer = answer.expect("parameters");
            let hash = answer.hash(algorithm, "Circle of Life", "GET", b"");
            assert_eq!(hash.as_deref(), Ok(response));
            assert_eq!(answer.count(), Ok(Some(1)));
        }
    }

    #[test]
    fn parameters_are_tokens_or_quoted_strings() {
        let parse = |text| Parameters::parse(text).map(|it| it.0);
        let pairs = parse(r#"digest a="x, \"y\"" ,b = c,d=e"#).expect("parameters");
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert!(pairs.eq([("a", "x, \"y\""), ("b", "c"), ("d", "e")]));
        for text in ["Basic a=b", "Digest", "Digest a", "Digest a=\"b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
