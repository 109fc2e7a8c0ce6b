//! The observer of a download: see [`DownloadObserver`].

mod parts;
mod request;
mod response;
mod rule;
mod version;

pub use self::rule::DownloadRule;

use self::parts::Parts;
use self::request::Requested;
use self::response::check_response;
use self::version::Versions;
use super::Violation;
use crate::download::field::ContentRange;
use crate::download::{Request, RequestHead, Response, ResponseHead};
use crate::error::Error;
use crate::http1::{RequestLine, StatusCode, StatusLine};

/// Follows the download of one URL and reports the rules that its responses violate.
///
/// Plain data of fixed size, at most 4096 bytes: it can be copied, compared, and stored in a map. A
/// download may use any number of connections, whose numbers the caller assigns.
///
/// The observer reports nothing that it does not know: conditions are compared with the validators in
/// the response, ranges with its length of the entity. It compares the first 8 ranges of a request,
/// and conditions of up to 184 bytes in total. If more than 8 requests are pending, it no longer
/// reports violations.
///
/// A multipart body is checked if the caller passes its parts, for example those that a
/// [`MultipartReader`](crate::download::MultipartReader) returns.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{RequestLine, StatusCode, StatusLine, Version};
/// use bits_proto::observer::DownloadObserver;
///
/// let mut observer = DownloadObserver::new();
/// let (connection, version) = (1, Version::Http11);
/// let line = RequestLine { method: "GET", target: "/file", version };
/// let fields = [("Range", &b"bytes=0-99"[..])];
/// observer.handle_request_fields(connection, line, fields);
///
/// let line = StatusLine { version, status: StatusCode::PARTIAL_CONTENT, reason: "" };
/// let fields = [("Content-Range", &b"bytes 100-199/1000"[..]), ("Content-Length", b"100")];
/// let mut rules = Vec::new();
/// observer.handle_response_fields(connection, line, fields, |it| rules.push(it.rule()));
/// assert_eq!(rules, ["download-without-date", "unrequested-range"]);
/// ```
///
/// Source: \[MC-BUP\] 3.5.5; RFC 9110 sections 13 and 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadObserver {
    /// The oldest first.
    pending: [Option<Pending>; 8],
    /// True if more requests were pending than space: responses cannot be assigned to requests.
    is_untracked: bool,
    versions: Versions,
}

const _: () = assert!(size_of::<DownloadObserver>() <= 4096, "an observer is small");

/// A request whose response is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    connection: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A request other than GET and HEAD.
    Other,
    /// A download that awaits the head of its response.
    Awaiting(Requested),
    /// A download whose body has several parts.
    Receiving(Parts),
}

impl Default for DownloadObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl DownloadObserver {
    /// Creates an observer that knows nothing about the entity.
    #[must_use]
    pub const fn new() -> Self {
        Self { pending: [None; 8], is_untracked: false, versions: Versions::UNKNOWN }
    }

    /// Handles the head of a request for the URL. Methods other than GET and HEAD are not checked.
    pub fn handle_request(&mut self, connection: u32, head: &RequestHead<'_, '_>) {
        self.observe_request(connection, Request::from_head(head).as_ref().ok());
    }

    /// Handles a request that another HTTP stack has parsed.
    pub fn handle_request_fields<'b>(
        &mut self,
        connection: u32,
        line: RequestLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) {
        self.observe_request(connection, Request::from_fields(line, fields).as_ref().ok());
    }

    /// Handles the head of a response, which answers the oldest pending request on its connection.
    ///
    /// Interim responses (1xx) are ignored, and so are responses without a request.
    pub fn handle_response(
        &mut self,
        connection: u32,
        head: &ResponseHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        let response = Response::from_head(head);
        self.observe_response(connection, head.line().status, response, &mut report);
    }

    /// Handles a response that another HTTP stack has parsed.
    ///
    /// See [`handle_response`](Self::handle_response) for the head of a response.
    pub fn handle_response_fields<'b>(
        &mut self,
        connection: u32,
        line: StatusLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        mut report: impl FnMut(Violation),
    ) {
        let response = Response::from_fields(line, fields);
        self.observe_response(connection, line.status, response, &mut report);
    }

    /// Handles a part of the multipart body on a connection.
    ///
    /// Ignored if the last response on the connection has no parts.
    pub fn handle_part(
        &mut self,
        connection: u32,
        part: ContentRange,
        mut report: impl FnMut(Violation),
    ) {
        let Some(Pending { stage: Stage::Receiving(parts), .. }) = self.receiving(connection)
        else {
            return;
        };
        if let Some(length) = parts.observe(part, &mut report) {
            let mut version = parts.version;
            version.length = Some(length);
            let method = parts.method;
            self.versions.observe(method, version, &mut report);
        }
    }

    /// Handles the end of the body on a connection. All parts of a multipart body must have passed.
    pub fn handle_body_end(&mut self, connection: u32, mut report: impl FnMut(Violation)) {
        if let Some(Pending { stage: Stage::Receiving(parts), .. }) = self.receiving(connection) {
            parts.check_end(&mut report);
        }
        self.remove(|it| it.connection == connection && matches!(it.stage, Stage::Receiving(_)));
    }

    /// Handles the end of a connection, or a gap in what was observed of it.
    ///
    /// Its pending requests get no response.
    pub fn handle_disconnected(&mut self, connection: u32) {
        self.remove(|it| it.connection == connection);
    }

    fn observe_request(&mut self, connection: u32, request: Option<&Request<'_>>) {
        let stage = request.map_or(Stage::Other, |it| Stage::Awaiting(Requested::new(it)));
        match self.pending.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(Pending { connection, stage }),
            None => {
                self.pending = [None; 8];
                self.is_untracked = true;
            }
        }
    }

    fn observe_response(
        &mut self,
        connection: u32,
        status: StatusCode,
        response: Result<Response<'_>, Error>,
        report: &mut impl FnMut(Violation),
    ) {
        if status.is_interim() || self.is_untracked {
            return;
        }
        // The body of the previous response has ended.
        self.remove(|it| it.connection == connection && matches!(it.stage, Stage::Receiving(_)));
        let mut pending = self.pending.iter_mut();
        let Some(slot) = pending.find(|it| it.is_some_and(|it| it.connection == connection)) else {
            return;
        };
        let parts = match (slot.take().map(|it| it.stage), response) {
            (Some(Stage::Awaiting(requested)), Ok(response)) => {
                check_response(&requested, &response, &mut self.versions, report)
            }
            (Some(Stage::Awaiting(_)), Err(error)) => {
                report(error.into());
                None
            }
            _ => None,
        };
        *slot = parts.map(|parts| Pending { connection, stage: Stage::Receiving(parts) });
        self.remove(|_| false);
    }

    /// Returns the response on a connection whose body has several parts.
    fn receiving(&mut self, connection: u32) -> Option<&mut Pending> {
        let mut pending = self.pending.iter_mut().flatten();
        pending.find(|it| it.connection == connection && matches!(it.stage, Stage::Receiving(_)))
    }

    /// Removes pending requests, and moves the others to the front in their order.
    fn remove(&mut self, is_removed: impl Fn(&Pending) -> bool) {
        let mut kept = self.pending.into_iter().flatten().filter(|it| !is_removed(it));
        self.pending = core::array::from_fn(|_| kept.next());
    }
}
