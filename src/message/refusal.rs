//! An Ack that refuses, and the one mapping from errors to it.

use super::message_error::MessageError;
use super::scan::Scan;
use super::value::{FieldVisitor, Value};
use super::{ErrorFields, Failure, MessageKind, MissingContentLength, ParseOptions};
use crate::deviation::Deviation;
use crate::error::{Error, ErrorKind, Fault};
use crate::field::{
    ContentRange, ErrorContext, FieldName, HResult, ReceivedContentRange, SessionId,
};
use crate::http1::StatusCode;

/// [2.2.1.2] An Ack that refuses: a status, and mostly an error code and its context.
///
/// Its parts depend on each other, so they are private: a 416 always has an offset, and a context
/// never stands without a code.
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
}

impl<'b> Refusal<'b> {
    /// A refusal by status alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRefusal`] for 200, 201 and 1xx, and for 416, which needs an
    /// [offset](Self::out_of_sync).
    pub const fn new(status: StatusCode) -> Result<Self, Error> {
        match status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::RANGE_NOT_SATISFIABLE => {
                Err(not_refusal(status))
            }
            status if status.is_interim() => Err(not_refusal(status)),
            status => Ok(Self::bare(status)),
        }
    }

    pub(crate) const fn bare(status: StatusCode) -> Self {
        Self { status, code: None, context: None, received: None, session_id: None }
    }

    const fn of_server(status: StatusCode, code: HResult) -> Self {
        Self::bare(status).with_error(code, ErrorContext::SERVER)
    }

    /// The request is not valid: 400, `E_INVALIDARG`.
    #[must_use]
    pub const fn invalid_argument() -> Self {
        Self::of_server(StatusCode::BAD_REQUEST, HResult::E_INVALIDARG)
    }

    /// Content-Length is missing: 411, `E_INVALIDARG`.
    #[must_use]
    pub const fn length_required() -> Self {
        Self::of_server(StatusCode::LENGTH_REQUIRED, HResult::E_INVALIDARG)
    }

    /// The client may not upload there, or may not overwrite what is there: 403,
    /// `E_ACCESSDENIED`.
    #[must_use]
    pub const fn access_denied() -> Self {
        Self::of_server(StatusCode::FORBIDDEN, HResult::E_ACCESSDENIED)
    }

    /// Uploads are not enabled there: 501, `E_ACCESSDENIED`.
    #[must_use]
    pub const fn uploads_disabled() -> Self {
        Self::of_server(StatusCode::NOT_IMPLEMENTED, HResult::E_ACCESSDENIED)
    }

    /// Not now: 503 without a code, and the client tries again. What a host answers whose store of
    /// sessions fails, or which has no room for one more.
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

    /// There is no such session: 500, `BG_E_SESSION_NOT_FOUND`.
    #[must_use]
    pub const fn session_not_found() -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, HResult::BG_E_SESSION_NOT_FOUND)
    }

    /// The entity is too large, or a fragment that cannot be any smaller: 500,
    /// `BG_E_TOO_LARGE`. The client gives up; 413 by [`new`](Self::new) with
    /// [`StatusCode::CONTENT_TOO_LARGE`] asks it for smaller fragments instead.
    #[must_use]
    pub const fn too_large() -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, HResult::BG_E_TOO_LARGE)
    }

    /// The disk is full: 500 and the code given,
    /// [`DISK_FULL`](HResult::DISK_FULL) as Windows has it or
    /// [`DISK_FULL_MC_BUP`](HResult::DISK_FULL_MC_BUP) as the specification prints it. Clients
    /// know both.
    #[must_use]
    pub const fn disk_full(code: HResult) -> Self {
        Self::of_server(StatusCode::INTERNAL_SERVER_ERROR, code)
    }

    /// The fragment does not begin where the server stands: 416 and the offset to go on at.
    #[must_use]
    pub const fn out_of_sync(received: ReceivedContentRange) -> Self {
        Self { received: Some(received), ..Self::bare(StatusCode::RANGE_NOT_SATISFIABLE) }
    }

    /// What a server application that refused an entity, or could not be reached, makes the server
    /// answer: its status and code, or the code that stands for the status.
    ///
    /// What is no failure is no reason to refuse, and a 416 would speak of the client's offset: both
    /// are 500. And only the server can say that it knows no session.
    pub(crate) const fn of_application(status: StatusCode, code: Option<HResult>) -> Self {
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

    /// What to answer to a request that could not be read: total, one refusal for every error.
    ///
    /// A missing Content-Length is 411 or 400, as the policy has it; whatever else the peer did is
    /// 400 and `E_INVALIDARG`. An error of our own side's is no fault of the client's: 500 without
    /// a code, which it takes as a reason to try again.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::{RequestLine, Version};
    /// use bits_proto::message::{ParseOptions, Refusal, Request};
    ///
    /// let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    /// let fields = [("BITS-Packet-Type", &b"Ping"[..])];
    /// let error = Request::from_fields(line, fields, &ParseOptions::DEFAULT).unwrap_err();
    /// assert_eq!(Refusal::for_error(&error, &ParseOptions::DEFAULT), Refusal::length_required());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub fn for_error(error: &Error, policy: &ParseOptions) -> Self {
        if error.fault() == Fault::Caller {
            return Self::bare(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let no_length = error.kind() == ErrorKind::MissingField
            && error.field() == Some(FieldName::ContentLength.as_str());
        if no_length && policy.missing_content_length != MissingContentLength::BadRequest {
            return Self::length_required();
        }
        Self::invalid_argument()
    }

    /// The same with an error code and who met the error.
    #[must_use]
    pub const fn with_error(self, code: HResult, context: ErrorContext) -> Self {
        Self { code: Some(code), context: Some(context), ..self }
    }

    /// The same with the session's id.
    #[must_use]
    pub const fn with_session_id(self, session_id: SessionId<'b>) -> Self {
        Self { session_id: Some(session_id), ..self }
    }

    /// The same with the offset the server expects next.
    #[must_use]
    pub const fn with_received(self, received: ReceivedContentRange) -> Self {
        Self { received: Some(received), ..self }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code; none where the status says it all.
    #[must_use]
    pub const fn code(&self) -> Option<HResult> {
        self.code
    }

    /// Who met the error.
    #[must_use]
    pub const fn context(&self) -> Option<ErrorContext> {
        self.context
    }

    /// The offset the server expects next; always there with 416.
    #[must_use]
    pub const fn received(&self) -> Option<ReceivedContentRange> {
        self.received
    }

    /// The session.
    #[must_use]
    pub const fn session_id(&self) -> Option<&SessionId<'b>> {
        self.session_id.as_ref()
    }

    /// What the client does about it.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match Failure::of(self.status, self.code) {
            Some(failure) => failure,
            // No refusal has the status of a success.
            None => Failure::Fatal,
        }
    }

    /// Shows its fields behind the packet type, in the order of the table, the error code in those
    /// that `error_fields` says.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visit: V) -> V {
        let received = self.received.map(|received| Value::Number(received.0));
        let code =
            |other: ErrorFields| self.code.filter(|_| error_fields != other).map(Value::Code);
        visit
            .optional(FieldName::SessionId, self.session_id.as_ref().map(Value::SessionId))
            .body_length(self.status, 0)
            .optional(FieldName::ReceivedContentRange, received)
            .optional(FieldName::Error, code(ErrorFields::ErrorCode))
            .optional(FieldName::ErrorCode, code(ErrorFields::Error))
            .optional(FieldName::ErrorContext, self.context.map(Value::Context))
    }

    /// Reads what an Ack of this status carries.
    #[inline(always)]
    pub(super) fn read(
        status: StatusCode,
        scan: &mut Scan<'_, 'b>,
        session_id: Option<SessionId<'b>>,
        sent: Option<ContentRange>,
    ) -> Result<Self, MessageError<'b>> {
        // What is remarked on of an error does not depend on the offset.
        let error = read_error(status, scan);
        let received = Self::read_received(status, scan, sent)?;
        let (code, context) = error?;
        Ok(Self { status, code, context, received, session_id })
    }

    /// What a response says that is no Ack: a proxy may have answered.
    #[inline(always)]
    pub(super) fn read_bare(
        status: StatusCode,
        scan: &mut Scan<'_, 'b>,
        sent: Option<ContentRange>,
    ) -> Result<Self, MessageError<'b>> {
        let received = match status {
            StatusCode::RANGE_NOT_SATISFIABLE => {
                scan.check_conflict(FieldName::ReceivedContentRange)?;
                Self::read_received(status, scan, sent)?
            }
            _ => None,
        };
        Ok(Self { received, ..Self::bare(status) })
    }

    fn read_received(
        status: StatusCode,
        scan: &mut Scan<'_, 'b>,
        sent: Option<ContentRange>,
    ) -> Result<Option<ReceivedContentRange>, MessageError<'b>> {
        let received: Option<ReceivedContentRange> = scan.optional(MessageKind::Refusal)?;
        // With any other status the offset is not acted on.
        match received {
            received if status != StatusCode::RANGE_NOT_SATISFIABLE => Ok(received),
            Some(received) => match sent.filter(|sent| received.0 > sent.total()) {
                Some(sent) => Err(super::fragment::beyond(scan, sent.total())),
                None => Ok(Some(received)),
            },
            None => {
                let field = FieldName::ReceivedContentRange;
                Err(MessageError::absent(ErrorKind::OutOfSyncWithoutOffset, field))
            }
        }
    }
}

/// The error for a status code that is not a refusal.
const fn not_refusal(status: StatusCode) -> Error {
    Error::caller(ErrorKind::NotRefusal).with_number(status.get() as u64)
}

/// BITS-Error, BITS-Error-Code and BITS-Error-Context.
fn read_error<'b>(
    status: StatusCode,
    scan: &mut Scan<'_, 'b>,
) -> Result<(Option<HResult>, Option<ErrorContext>), MessageError<'b>> {
    let mut code_in = |field| match scan.carried(MessageKind::Refusal, field)? {
        Some(value) => HResult::decode(value)
            .map(Some)
            .map_err(|flaw| MessageError::in_value(field, value, flaw)),
        None => Ok(None),
    };
    let error = code_in(FieldName::Error)?;
    let error_code = code_in(FieldName::ErrorCode)?;
    let context = match scan.carried(MessageKind::Refusal, FieldName::ErrorContext)? {
        Some(value) => ErrorContext::decode(value)
            .map_err(|flaw| MessageError::in_value(FieldName::ErrorContext, value, flaw))?,
        None => None,
    };
    if error.is_some() && error_code.is_some() && error != error_code {
        scan.deviations.insert(Deviation::ErrorFieldsDisagree);
    }
    let given = error.or(error_code);
    let deviation = match (given, context) {
        (None, Some(_)) => Some(Deviation::ContextWithoutError),
        (None, None) if status.get() >= 400 && status != StatusCode::RANGE_NOT_SATISFIABLE => {
            Some(Deviation::MissingError)
        }
        (Some(Some(_)), None) => Some(Deviation::MissingErrorContext),
        (Some(_), Some(context)) if !context.is_known() => Some(Deviation::UnknownErrorContext),
        _ => None,
    };
    scan.deviations.extend(deviation);
    let code = given.flatten();
    Ok((code, context.filter(|_| code.is_some())))
}
