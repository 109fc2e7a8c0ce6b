//! Refusals, and the mapping from errors to them.

use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Outcome, Report};
use super::value::{FieldVisitor, Value};
use super::{ErrorFields, Failure, MessageKind, MissingContentLength, ParseOptions};
use crate::deviation::Deviation;
use crate::error::{Error, ErrorKind, Fault};
use crate::field::{
    ContentRange, ErrorContext, FieldName, FieldSet, HResult, ReceivedContentRange, RetryAfter,
    SessionId,
};
use crate::http1::StatusCode;

/// [2.2.1.2] An Ack with a failure status, usually with an error code and its context.
///
/// The parts depend on each other, so they are private: a refusal that this crate writes has an
/// offset if it is a 416, and a code if it has a context.
///
/// A refusal that is read may lack them. A code, context, session id or offset that is invalid, or has
/// conflicting values, is a [deviation](crate::deviation) and counts as absent. The other parts keep
/// their meaning. If such a refusal is written, it lacks these parts too: a client cannot continue
/// after a 416 without an offset.
///
/// ```text
/// HTTP/1.1 500 Internal Server Error
/// BITS-Packet-Type: Ack
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}   ; optional
/// Content-Length: 0
/// BITS-Received-Content-Range: 128                          ; with 416
/// BITS-Error: 0x8020001F
/// BITS-Error-Code: 0x8020001F
/// BITS-Error-Context: 0x5
/// Retry-After: 120                                          ; optional
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::{HResult, ReceivedContentRange};
/// use bits_proto::message::{Failure, Refusal};
///
/// assert_eq!(Refusal::session_not_found().failure(), Failure::StartOver);
/// let out_of_sync = Refusal::out_of_sync(ReceivedContentRange(128));
/// assert_eq!(out_of_sync.status().get(), 416);
/// assert_eq!(out_of_sync.received(), Some(ReceivedContentRange(128)));
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2, 3.2.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'b> {
    status: StatusCode,
    code: Option<HResult>,
    context: Option<ErrorContext>,
    received: Option<ReceivedContentRange>,
    session_id: Option<SessionId<'b>>,
    retry_after: Option<RetryAfter>,
}

impl<'b> Refusal<'b> {
    /// Creates a refusal with a status code and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRefusal`] for 1xx and 2xx, and for 416, which needs an
    /// [offset](Self::out_of_sync).
    pub const fn new(status: StatusCode) -> Result<Self, Error> {
        match status {
            StatusCode::RANGE_NOT_SATISFIABLE => Err(not_refusal(status)),
            status if status.is_interim() || status.is_success() => Err(not_refusal(status)),
            status => Ok(Self::bare(status)),
        }
    }

    pub(crate) const fn bare(status: StatusCode) -> Self {
        Self {
            status,
            code: None,
            context: None,
            received: None,
            session_id: None,
            retry_after: None,
        }
    }

    const fn of_server(status: StatusCode, code: HResult) -> Self {
        Self::bare(status).with_error(code, ErrorContext::SERVER)
    }

    /// The request is invalid: 400, `E_INVALIDARG`.
    #[must_use]
    pub const fn invalid_argument() -> Self {
        Self::of_server(StatusCode::BAD_REQUEST, HResult::E_INVALIDARG)
    }

    /// Content-Length is missing: 411, `E_INVALIDARG`.
    #[must_use]
    pub const fn length_required() -> Self {
        Self::of_server(StatusCode::LENGTH_REQUIRED, HResult::E_INVALIDARG)
    }

    /// The client may not upload to this destination: 403, `E_ACCESSDENIED`.
    #[must_use]
    pub const fn access_denied() -> Self {
        Self::of_server(StatusCode::FORBIDDEN, HResult::E_ACCESSDENIED)
    }

    /// An entity exists at the destination and may not be replaced: 403 with `code`.
    ///
    /// [`FILE_EXISTS`](HResult::FILE_EXISTS) distinguishes it from missing access, and a user of
    /// Windows reads "The file exists". \[MC-BUP\] 2.2.1.2 has
    /// [`E_ACCESSDENIED`](HResult::E_ACCESSDENIED) for both. Microsoft's page on the Ack for
    /// Create-Session has the status 409, but clients of Windows retry after it.
    ///
    /// ```
    /// use bits_proto::field::HResult;
    /// use bits_proto::message::{Failure, Refusal};
    ///
    /// let refusal = Refusal::destination_exists(HResult::FILE_EXISTS);
    /// assert_eq!(refusal.failure(), Failure::Fatal);
    /// ```
    #[must_use]
    pub const fn destination_exists(code: HResult) -> Self {
        Self::of_server(StatusCode::FORBIDDEN, code)
    }

    /// The destination has a name that the server cannot use: 403, `INVALID_NAME`.
    #[must_use]
    pub const fn invalid_name() -> Self {
        Self::of_server(StatusCode::FORBIDDEN, HResult::INVALID_NAME)
    }

    /// Uploads are not enabled for this destination: 501, `E_ACCESSDENIED`.
    #[must_use]
    pub const fn uploads_disabled() -> Self {
        Self::of_server(StatusCode::NOT_IMPLEMENTED, HResult::E_ACCESSDENIED)
    }

    /// The server cannot handle the request now: 503 without a code. The client tries again.
    ///
    /// Meant for a session store that fails and for a limit on sessions that is reached.
    ///
    /// ```
    /// use bits_proto::message::{Failure, Refusal};
    ///
    /// assert_eq!(Refusal::unavailable().failure(), Failure::Transient);
    /// ```
    #[must_use]
    pub const fn unavailable() -> Self {
        Self::bare(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The session does not exist: 500, `BG_E_SESSION_NOT_FOUND`.
    #[must_use]
    pub const fn session_not_found() -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, HResult::BG_E_SESSION_NOT_FOUND)
    }

    /// The entity, or a fragment of minimum size, is too large: 500, `BG_E_TOO_LARGE`. The client
    /// gives up. [`new`](Self::new) with [`StatusCode::CONTENT_TOO_LARGE`] asks for smaller fragments
    /// instead.
    #[must_use]
    pub const fn too_large() -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, HResult::BG_E_TOO_LARGE)
    }

    /// The disk is full: 500 with `code`, which is [`DISK_FULL`](HResult::DISK_FULL) as in Windows or
    /// [`DISK_FULL_MC_BUP`](HResult::DISK_FULL_MC_BUP) as in the specification. Clients recognise
    /// both.
    #[must_use]
    pub const fn disk_full(code: HResult) -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, code)
    }

    /// The fragment starts after the next expected byte: 416 with the next offset.
    #[must_use]
    pub const fn out_of_sync(received: ReceivedContentRange) -> Self {
        Self { received: Some(received), ..Self::bare(StatusCode::RANGE_NOT_SATISFIABLE) }
    }

    /// Creates the refusal that reports a failure of the server application: its status code and
    /// error code, or the code that represents the status.
    ///
    /// A status that is not a failure becomes 500, and so does 416, which would refer to the client's
    /// offset. The code for an unknown session is replaced, as only the server can use it.
    pub(crate) const fn from_application(status: StatusCode, code: Option<HResult>) -> Self {
        let status = match status.get() {
            ..300 | 416 => StatusCode::INTERNAL_SERVER_ERROR,
            _ => status,
        };
        let refusal = Self::bare(status);
        let code = match code {
            None | Some(HResult::BG_E_SESSION_NOT_FOUND) => HResult::from_status(status.get()),
            code => code,
        };
        match code {
            Some(code) => refusal.with_error(code, ErrorContext::REMOTE_APPLICATION),
            None => refusal,
        }
    }

    /// Returns the refusal for any parse error.
    ///
    /// A missing Content-Length that the options reject is 411, or 400 if they say so. Every other error
    /// of the peer is 400 with `E_INVALIDARG`. An error of the caller is 500 without a code, which
    /// clients retry.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::{RequestLine, Version};
    /// use bits_proto::message::{ParseOptions, Refusal, Request};
    ///
    /// let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    /// let fields = [("BITS-Packet-Type", &b"Fragment"[..])];
    /// let error = Request::from_fields(line, fields, &ParseOptions::DEFAULT).unwrap_err();
    /// assert_eq!(Refusal::for_error(&error, &ParseOptions::DEFAULT), Refusal::length_required());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub fn for_error(error: &Error, options: &ParseOptions) -> Self {
        if error.fault() == Fault::Caller {
            return Self::bare(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let no_length = error.kind() == ErrorKind::MissingField
            && error.field() == Some(FieldName::ContentLength.as_str());
        if no_length && options.missing_content_length != MissingContentLength::BadRequest {
            return Self::length_required();
        }
        Self::invalid_argument()
    }

    /// Sets the error code and its context.
    #[must_use]
    pub const fn with_error(self, code: HResult, context: ErrorContext) -> Self {
        Self { code: Some(code), context: Some(context), ..self }
    }

    /// Sets the session id.
    #[must_use]
    pub const fn with_session_id(self, session_id: SessionId<'b>) -> Self {
        Self { session_id: Some(session_id), ..self }
    }

    /// Sets the next offset.
    #[must_use]
    pub const fn with_received(self, received: ReceivedContentRange) -> Self {
        Self { received: Some(received), ..self }
    }

    /// Sets the earliest time of the client's next try.
    ///
    /// ```
    /// use bits_proto::field::RetryAfter;
    /// use bits_proto::message::Refusal;
    ///
    /// let busy = Refusal::unavailable().with_retry_after(RetryAfter::Seconds(30));
    /// assert_eq!(busy.retry_after(), Some(RetryAfter::Seconds(30)));
    /// ```
    #[must_use]
    pub const fn with_retry_after(self, retry_after: RetryAfter) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the error code, if there is one.
    #[must_use]
    pub const fn code(&self) -> Option<HResult> {
        self.code
    }

    /// Returns the origin of the error: the server or the application. It may be present without a
    /// code.
    #[must_use]
    pub const fn context(&self) -> Option<ErrorContext> {
        self.context
    }

    /// Returns the next offset; always present with 416, unless the offset is unreadable or the
    /// refusal is the application's.
    #[must_use]
    pub const fn received(&self) -> Option<ReceivedContentRange> {
        self.received
    }

    /// Returns the session id.
    #[must_use]
    pub const fn session_id(&self) -> Option<&SessionId<'b>> {
        self.session_id.as_ref()
    }

    /// Returns the earliest time of the next try, also if a proxy sent it. An invalid or conflicting
    /// value is ignored.
    #[must_use]
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Returns the class of the failure.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match Failure::of(self.status, self.code, self.context) {
            Some(failure) => failure,
            // A refusal never has a success status.
            None => Failure::Fatal,
        }
    }

    /// Visits the fields behind the packet type, in the order of the presence table. The error code is
    /// in the fields that `error_fields` selects.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visitor: V) -> V {
        let received = self.received.map(|received| Value::Number(received.0));
        let code =
            |other: ErrorFields| self.code.filter(|_| error_fields != other).map(Value::Code);
        visitor
            .optional(FieldName::SessionId, self.session_id.as_ref().map(Value::SessionId))
            .body_length(self.status, 0)
            .optional(FieldName::ReceivedContentRange, received)
            .optional(FieldName::Error, code(ErrorFields::ErrorCode))
            .optional(FieldName::ErrorCode, code(ErrorFields::Error))
            .optional(FieldName::ErrorContext, self.context.map(Value::Context))
            .optional(FieldName::RetryAfter, self.retry_after.as_ref().map(Value::RetryAfter))
    }

    /// Reads the fields of an Ack with this status.
    pub(super) fn read<R: Report<'b>>(
        status: StatusCode,
        reader: &mut Reader<'_, 'b, R>,
        session_id: Option<SessionId<'b>>,
        sent: Option<ContentRange>,
    ) -> Outcome<'b, Self, R> {
        let (code, context) = read_error(status, reader);
        let retry_after = reader.valid(MessageKind::Refusal);
        let refusal = Self { status, code, context, received: None, session_id, retry_after };
        let received = refusal.read_received(reader, sent)?;
        Ok(received.map(|received| Self { received, ..refusal }))
    }

    /// Reads a response without a packet type. A proxy may have sent it, so nothing is expected of
    /// it.
    pub(super) fn read_bare<R: Report<'b>>(
        status: StatusCode,
        reader: &mut Reader<'_, 'b, R>,
        sent: Option<ContentRange>,
    ) -> Outcome<'b, Self, R> {
        reader.record_form(DETAILS);
        let refusal = Self::read(status, reader, None, sent)?;
        let expected = Deviation::MissingError | Deviation::MissingErrorContext;
        reader.deviations = reader.deviations.difference(expected);
        Ok(refusal)
    }

    /// Reads the next offset, which a server's 416 needs and other refusals ignore.
    fn read_received<R: Report<'b>>(
        &self,
        reader: &mut Reader<'_, 'b, R>,
        sent: Option<ContentRange>,
    ) -> Outcome<'b, Option<ReceivedContentRange>, R> {
        let field = FieldName::ReceivedContentRange;
        let received = reader.detail(Deviation::UnreadableReceived);
        if self.failure() != Failure::Resynchronise {
            return Ok(Ok(received));
        }
        let error = match (received, sent) {
            (Some(ReceivedContentRange(received)), Some(sent)) if received > sent.total() => {
                super::fragment::received_beyond_sent(reader, sent.total())
            }
            (None, _) if reader.get(field).is_none() => {
                MessageError::absent(ErrorKind::OutOfSyncWithoutOffset, field)
            }
            (received, _) => return Ok(Ok(received)),
        };
        reader.report(error).map(Err)
    }
}

/// The fields of a response without a packet type that count.
const DETAILS: FieldSet = FieldSet::of(FieldName::ReceivedContentRange)
    .with(FieldName::Error)
    .with(FieldName::ErrorCode)
    .with(FieldName::ErrorContext);

/// The error for a status code that is not a refusal.
const fn not_refusal(status: StatusCode) -> Error {
    Error::caller(ErrorKind::NotRefusal).with_number(status.get() as u64)
}

/// Reads the error code and its context. BITS-Error takes precedence over BITS-Error-Code, unless it
/// is unreadable. Code 0 means no error.
fn read_error<'b, R: Report<'b>>(
    status: StatusCode,
    reader: &mut Reader<'_, 'b, R>,
) -> (Option<HResult>, Option<ErrorContext>) {
    let mut code_of =
        |field| reader.detail_code(field, HResult::decode, Deviation::UnreadableErrorCode);
    let (error, error_code) = (code_of(FieldName::Error), code_of(FieldName::ErrorCode));
    let context = reader.detail_code(
        FieldName::ErrorContext,
        ErrorContext::decode,
        Deviation::UnreadableErrorContext,
    );
    if error.is_some() && error_code.is_some() && error != error_code {
        reader.deviations.insert(Deviation::ErrorFieldsDisagree);
    }
    let (code, context) = (error.or(error_code).flatten(), context.flatten());
    reader.deviations.extend(error_deviation(status, reader, code, context));
    (code, context)
}

/// Returns the deviation of a code and a context that do not belong together.
fn error_deviation<'b, R: Report<'b>>(
    status: StatusCode,
    reader: &Reader<'_, 'b, R>,
    code: Option<HResult>,
    context: Option<ErrorContext>,
) -> Option<Deviation> {
    let is_present = |field| reader.get(field).is_some();
    let has_code = is_present(FieldName::Error) || is_present(FieldName::ErrorCode);
    let has_context = is_present(FieldName::ErrorContext);
    let is_unreadable = reader.deviations.contains(Deviation::UnreadableErrorCode);
    let needs_code = status.get() >= 400 && status != StatusCode::RANGE_NOT_SATISFIABLE;
    match code {
        None if has_context && !has_code => Some(Deviation::ContextWithoutError),
        None => (needs_code && !is_unreadable).then_some(Deviation::MissingError),
        Some(_) if !has_context => Some(Deviation::MissingErrorContext),
        Some(_) => context.filter(|it| !it.is_known()).map(|_| Deviation::UnknownErrorContext),
    }
}
