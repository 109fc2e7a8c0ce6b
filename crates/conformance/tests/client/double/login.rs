//! Credentials of the double, and its answers to challenges.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bits_conformance::client::Job;
use digest_auth::{AuthContext, HttpMethod, Qop, WwwAuthenticateHeader};

use super::http::{Received, Sent, split_url};

/// An account, and the scheme that its server or proxy requires.
#[derive(Clone, Debug)]
pub struct Login {
    user: String,
    password: String,
    /// The field with the answer.
    field: &'static str,
    scheme: Option<Scheme>,
}

#[derive(Clone, Debug)]
enum Scheme {
    Basic,
    Digest(Box<WwwAuthenticateHeader>),
}

impl Login {
    /// Returns the account for the server.
    pub fn server(job: &Job) -> Self {
        Self {
            user: job.user.clone(),
            password: job.password.clone(),
            field: "Authorization",
            scheme: None,
        }
    }

    /// Returns the account for the proxy, with its host and port.
    pub fn proxy(job: &Job) -> Option<(String, Self)> {
        let (account, authority) = split_url(job.proxy.as_ref()?).0.split_once('@').map(own)?;
        let (user, password) = account.split_once(':').map(own)?;
        Some((authority, Self { user, password, field: "Proxy-Authorization", scheme: None }))
    }

    /// Chooses the scheme for the next requests. Returns false if the response requires no supported one, or
    /// rejects the last answer.
    pub fn choose(&mut self, response: &Received, answers_again: bool) -> bool {
        let name = if response.status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let challenges = || response.fields.iter().filter(|(it, _)| it == name).map(|(_, it)| it);
        let next = match challenges().find_map(|challenge| digest(challenge)) {
            Some(challenge) => Scheme::Digest(Box::new(challenge)),
            None if challenges().any(|it| it.contains("Basic ")) => Scheme::Basic,
            None => return false,
        };
        let is_new = match (&self.scheme, &next) {
            (Some(Scheme::Digest(_)), Scheme::Digest(next)) => next.stale,
            (last, _) => last.is_none(),
        };
        self.scheme = Some(next);
        is_new || answers_again
    }

    /// Adds credentials to a request, if it needs any.
    pub fn authorize(&mut self, sent: &mut Sent) {
        let value = match &mut self.scheme {
            None => return,
            Some(Scheme::Basic) => self.basic(),
            Some(Scheme::Digest(challenge)) => answer(&self.user, &self.password, challenge, sent),
        };
        sent.set(self.field, &value);
    }

    /// Returns the credentials with the scheme Basic.
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    /// Answers a challenge, with a change.
    pub fn digest(
        &self,
        challenge: &str,
        sent: &Sent,
        change: fn(&mut WwwAuthenticateHeader),
    ) -> String {
        let challenge = WwwAuthenticateHeader::parse(challenge);
        let mut challenge = challenge.expect("a challenge with the scheme Digest");
        change(&mut challenge);
        answer(&self.user, &self.password, &mut challenge, sent)
    }
}

fn own((first, second): (&str, &str)) -> (String, String) {
    (first.into(), second.into())
}

/// Parses the challenge with the scheme Digest, which is the last one of a list, if the double supports it.
fn digest(list: &str) -> Option<WwwAuthenticateHeader> {
    let challenge = list.get(list.find("Digest ")?..).filter(|it| it.is_ascii())?;
    let challenge = WwwAuthenticateHeader::parse(challenge).ok()?;
    challenge.qop.as_ref().is_some_and(|it| it.contains(&Qop::AUTH)).then_some(challenge)
}

fn answer(
    user: &str,
    password: &str,
    challenge: &mut WwwAuthenticateHeader,
    sent: &Sent,
) -> String {
    let method = HttpMethod::from(sent.method.as_str());
    let body = None::<&[u8]>;
    let context = AuthContext::new_with_method(user, password, sent.target.as_str(), body, method);
    challenge.respond(&context).expect("an answer").to_header_string()
}
