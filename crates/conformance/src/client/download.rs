//! The server of a download, on which the scripts of cases are based.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::entry::{Outcome, Stop};
use super::message::{self, Ending, Reply, Request};
use super::scenario::{self, Model};
use super::setup::Setup;
use crate::content::common_length;

/// The script of a download.
pub(super) type Scenario = scenario::Scenario<Download>;

/// The date of the entity.
pub(super) const LAST_MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
/// The length after which the body of the first response ends early.
pub(super) const CUT: usize = 10_000;
/// The entity tag of the entity.
pub(super) const ETAG: &str = "\"1\"";

/// A server that offers one entity, and records all requests.
pub(super) struct Download {
    pub(super) setup: Setup,
    /// All requests, in order.
    pub(super) requests: Vec<Request>,
    /// The entity.
    pub(super) bytes: Vec<u8>,
    pub(super) etag: String,
    pub(super) last_modified: String,
    /// The script waits for a request that it has not received.
    is_waiting: bool,
    /// Time at which the script deviated first.
    deviated_at: Option<Instant>,
}

impl Model for Download {
    fn new(setup: Setup) -> Self {
        Self {
            bytes: setup.content.all(),
            setup,
            requests: Vec::new(),
            etag: ETAG.into(),
            last_modified: LAST_MODIFIED.into(),
            is_waiting: false,
            deviated_at: None,
        }
    }

    fn record(&mut self, request: &Request) {
        self.requests.push(request.clone());
    }

    fn requests(&self) -> &[Request] {
        &self.requests
    }

    fn respond(&mut self, request: &Request) -> Reply {
        self.ordinary(request)
    }

    fn allow_again(&mut self, _request: &Request) {}

    fn has_host(&self) -> bool {
        false
    }

    fn verify(&mut self) -> Outcome {
        match std::fs::read(&self.setup.file) {
            Ok(bytes) if bytes == self.bytes => Ok(()),
            Ok(bytes) => Err(Stop::Loss(format!(
                "client reports success with a wrong file: it has {} of {} bytes and differs from offset {}",
                bytes.len(),
                self.bytes.len(),
                common_length(&bytes, &self.bytes)
            ))),
            Err(error) => {
                Err(Stop::Loss(format!("client reports success without a file: {error}")))
            }
        }
    }

    fn check(&self) -> Outcome {
        Ok(())
    }

    fn not_reached(&self) -> Option<String> {
        let is_missing = self.is_waiting && self.deviated_at.is_none();
        is_missing.then(|| "client does not send the request that the case is about".into())
    }
}

impl Download {
    /// Returns the requests with GET, in order.
    pub(super) fn gets(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests.iter().filter(|request| request.method == "GET")
    }

    /// Returns true for the GET with this number, which counts from 1.
    pub(super) fn is_nth_get(&mut self, request: &Request, number: usize) -> bool {
        let is_it = request.method == "GET" && self.gets().count() == number;
        self.deviate_if(is_it)
    }

    /// Records if the script deviates here. A case whose script never does is not applicable.
    pub(super) fn deviate_if(&mut self, condition: bool) -> bool {
        self.is_waiting = true;
        if condition {
            self.deviated_at.get_or_insert_with(Instant::now);
        }
        condition
    }

    /// Returns the time from the deviation to the next request.
    pub(super) fn pause(&self) -> Option<Duration> {
        message::pause(&self.requests, self.deviated_at?)
    }

    /// Replaces the entity by another one of the same length, with other validators.
    pub(super) fn replace_entity(&mut self) {
        self.replace_bytes(self.bytes.len());
        self.etag = "\"2\"".into();
        self.last_modified = "Mon, 07 Nov 1994 08:49:37 GMT".into();
    }

    /// Replaces the entity by another one of this length, with the same validators.
    pub(super) fn replace_bytes(&mut self, length: usize) {
        let content = self.setup.content.other();
        self.bytes = content.bytes(0..length as u64);
    }

    /// Closes the connection of the first GET after [`CUT`] bytes of the body.
    pub(super) fn cut_first(&self, request: &Request, reply: Reply) -> Reply {
        match request.method == "GET" && self.gets().count() == 1 {
            true => reply.ending(Ending::Close).cut(CUT),
            false => reply,
        }
    }

    /// Returns true for a GET that continues after the first one was cut.
    pub(super) fn is_resumed(&mut self, request: &Request) -> bool {
        let is_it = request.method == "GET" && self.gets().count() > 1;
        self.deviate_if(is_it && request.field("Range").is_some())
    }

    /// Removes the validators of a response.
    pub(super) fn without_validators(reply: Reply) -> Reply {
        reply.without("Last-Modified").without("ETag")
    }

    /// Responds as the specification requires.
    pub(super) fn ordinary(&self, request: &Request) -> Reply {
        if request.target.split('?').next() != Some(&self.setup.path) {
            return Reply::page(404);
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Reply::page(405).field("Allow", "GET, HEAD");
        }
        let is_changed = |name, current: &str| request.field(name).is_some_and(|it| it != current);
        if is_changed("If-Match", &self.etag)
            || is_changed("If-Unmodified-Since", &self.last_modified)
        {
            return Reply::new(412);
        }
        let is_same =
            request.field("If-Range").is_none_or(|it| it == self.etag || it == self.last_modified);
        match request.field("Range").filter(|_| is_same && request.method == "GET") {
            Some(range) => self.part(range),
            None => self.whole(),
        }
    }

    /// Responds with the whole entity.
    pub(super) fn whole(&self) -> Reply {
        self.entity(200).body(self.bytes.clone())
    }

    /// Responds with the range of a request, whatever its conditions are.
    pub(super) fn part(&self, range: &str) -> Reply {
        let total = self.bytes.len();
        let Some((first, last)) = parse_range(range) else { return self.whole() };
        let end = last.saturating_add(1).min(total);
        match first < end {
            true => self.slice(first..end),
            false => Reply::new(416).field("Content-Range", format!("bytes */{total}")),
        }
    }

    /// Responds with these bytes of the entity as a part.
    pub(super) fn slice(&self, range: Range<usize>) -> Reply {
        let total = self.bytes.len();
        self.entity(206)
            .field("Content-Range", format!("bytes {}-{}/{total}", range.start, range.end - 1))
            .body(self.bytes.get(range).unwrap_or_default())
    }

    /// A response with the fields of the entity.
    pub(super) fn entity(&self, status: u16) -> Reply {
        Reply::new(status)
            .field("Last-Modified", self.last_modified.clone())
            .field("ETag", self.etag.clone())
            .field("Accept-Ranges", "bytes")
    }
}

/// Returns the first and the last byte of a Range of one part; `usize::MAX` if it has no last byte.
pub(super) fn parse_range(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
    Some((first.parse().ok()?, last))
}
