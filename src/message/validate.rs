//! Everything that is wrong with a message, not only what stops its reading: what an observer of
//! other people's messages asks.
//!
//! Reading and examining share every rule; each message's `each_trouble` stands beside its `read`.

use super::message_error::MessageError;
use super::parse_options::MAX_VALUE;
use super::scan::Scan;
use super::survey::Survey;
use super::{
    Ack, AckContext, Decoded, MessageKind, NotificationRequest, NotificationResponse, ParseOptions,
    Request, ack, notification_request, notification_response, request,
};
use crate::deviation::Deviations;
use crate::error::Error;
use crate::field::{ContentName, ContentRange, SessionId, SupportedProtocols};
use crate::http1::{Framing, Head, Index, RequestLine, StartLine, StatusLine};

/// A message as it comes in: a head that was read from bytes, or what another HTTP stack has read.
pub(crate) trait Incoming<'b> {
    type Line: Copy;

    fn line(&self) -> Self::Line;

    /// The fields, in their order.
    fn fields(&self) -> impl Iterator<Item = (&'b str, &'b [u8])>;

    /// Looks at the fields, for which there is room where they were not looked at before; with what
    /// could be read of the framing, and what is wrong with it.
    fn survey<'h>(&'h self, room: &'h mut Index<'b>) -> (Survey<'h, 'b>, Framing, Option<Error>);

    /// What is wrong, with its place where that can be known.
    fn error(&self, trouble: MessageError<'b>) -> Error;
}

impl<'b, L: StartLine<'b> + Copy> Incoming<'b> for Head<'_, 'b, L> {
    type Line = L;

    fn line(&self) -> L {
        Self::line(self)
    }

    fn fields(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> {
        Self::fields(self)
    }

    fn survey<'h>(&'h self, _: &'h mut Index<'b>) -> (Survey<'h, 'b>, Framing, Option<Error>) {
        (Survey::of_head(self, MAX_VALUE), self.framing(), None)
    }

    fn error(&self, trouble: MessageError<'b>) -> Error {
        trouble.in_head(self)
    }
}

/// A start line and fields that another HTTP stack has read.
pub(crate) struct Pairs<L, F> {
    pub(crate) line: L,
    pub(crate) fields: F,
}

impl<'b, L: Copy, F> Incoming<'b> for Pairs<L, F>
where
    F: IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
{
    type Line = L;

    fn line(&self) -> L {
        self.line
    }

    fn fields(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> {
        self.fields.clone().into_iter()
    }

    fn survey<'h>(&'h self, index: &'h mut Index<'b>) -> (Survey<'h, 'b>, Framing, Option<Error>) {
        let (survey, framing, invalid) = Survey::of_pairs(index, self.fields.clone(), MAX_VALUE);
        let error = invalid.map(|length| framing.length_error(length, None));
        (survey, framing, error)
    }

    fn error(&self, trouble: MessageError<'b>) -> Error {
        trouble.in_pairs()
    }
}

/// What could be read of a request, whatever else is wrong with it.
#[derive(Default)]
pub(crate) struct RequestSummary<'b> {
    /// Which of the five it is.
    pub(crate) kind: Option<MessageKind>,
    /// Whether nothing is wrong with it.
    pub(crate) is_valid: bool,
    pub(crate) session_id: Option<SessionId<'b>>,
    pub(crate) content_range: Option<ContentRange>,
    pub(crate) content_name: Option<ContentName<'b>>,
    pub(crate) supported_protocols: Option<SupportedProtocols<'b>>,
    pub(crate) deviations: Deviations,
}

/// An Ack, if nothing is wrong with it.
pub(crate) struct ExaminedAck<'b> {
    pub(crate) message: Option<Ack<'b>>,
    pub(crate) deviations: Deviations,
    /// Whether it grants, and carries what only the Acks for other requests carry.
    pub(crate) is_of_another: bool,
}

/// What reading came to.
struct Examined<M> {
    /// The message, though its framing may be in doubt.
    message: Option<M>,
    is_sound: bool,
    deviations: Deviations,
}

impl<M> Examined<M> {
    /// The message, if nothing is wrong with it.
    fn valid(self) -> (Option<M>, Deviations) {
        (self.message.filter(|_| self.is_sound), self.deviations)
    }
}

/// Reads a message, and tells every error there is in it. `rest` tells those behind the first.
fn examine<'b, L: Copy, M>(
    incoming: &impl Incoming<'b, Line = L>,
    (scan, framing, error): (&mut Scan<'_, 'b>, Framing, Option<Error>),
    each: &mut impl FnMut(Error),
    read: impl FnOnce(L, Framing, &mut Scan<'_, 'b>) -> Result<Decoded<M>, MessageError<'b>>,
    rest: impl FnOnce(L, Framing, &mut Scan<'_, 'b>, &mut dyn FnMut(MessageError<'b>)),
) -> Examined<M> {
    let is_sound = error.is_none();
    error.into_iter().for_each(&mut *each);
    match read(incoming.line(), framing, scan) {
        Ok(Decoded { message, deviations }) => {
            Examined { message: Some(message), is_sound, deviations }
        }
        Err(_) => {
            rest(incoming.line(), framing, scan, &mut |trouble| each(incoming.error(trouble)));
            Examined { message: None, is_sound, deviations: scan.deviations }
        }
    }
}

/// Examines a request.
pub(crate) fn validate_request<'b>(
    incoming: &impl Incoming<'b, Line = RequestLine<'b>>,
    policy: &ParseOptions,
    each: &mut impl FnMut(Error),
) -> RequestSummary<'b> {
    let mut room = Index::EMPTY;
    let (mut survey, framing, error) = incoming.survey(&mut room);
    // A long value is no reason not to understand the others.
    let long = survey.take_long_value();
    let mut scan = survey.scan();
    let mut kind = None;
    let examined = examine(
        incoming,
        (&mut scan, framing, error),
        each,
        |line, framing, scan| request::read(line, framing, scan, policy),
        |line, framing, scan, mut each| {
            kind = request::each_trouble(line, framing, scan, policy, &mut each);
        },
    );
    long.into_iter().for_each(|long| each(incoming.error(long)));
    // Of a message whose framing alone is wrong it is known as well.
    let kind = examined.message.as_ref().map(Request::kind).or(kind);
    let (message, deviations) = examined.valid();
    let Some(of) = kind else { return RequestSummary { deviations, ..RequestSummary::default() } };
    RequestSummary {
        kind,
        is_valid: message.is_some(),
        session_id: scan.certain(of),
        content_range: scan.certain(of),
        content_name: scan.certain(of),
        supported_protocols: scan.certain_protocols(of),
        deviations,
    }
}

/// Examines an Ack, in the light of its request.
pub(crate) fn validate_ack<'b>(
    incoming: &impl Incoming<'b, Line = StatusLine<'b>>,
    ack_context: &AckContext<'_>,
    each: &mut impl FnMut(Error),
) -> ExaminedAck<'b> {
    let mut room = Index::EMPTY;
    let (survey, framing, error) = incoming.survey(&mut room);
    let mut scan = survey.scan();
    let (message, deviations) = examine(
        incoming,
        (&mut scan, framing, error),
        each,
        |line, framing, scan| ack::read(line, framing, scan, ack_context),
        |line, framing, scan, mut each| {
            ack::each_trouble(line, framing, scan, ack_context, &mut each);
        },
    )
    .valid();
    let kind = ack::kind_of(incoming.line().status, ack_context);
    let is_of_another = kind.is_success() && scan.is_of_another(kind);
    ExaminedAck { message, deviations, is_of_another }
}

/// Examines a notification of a server application.
pub(crate) fn validate_notification<'b>(
    incoming: &impl Incoming<'b, Line = RequestLine<'b>>,
    each: &mut impl FnMut(Error),
) -> (Option<NotificationRequest<'b>>, Deviations) {
    let mut room = Index::EMPTY;
    let (survey, framing, error) = incoming.survey(&mut room);
    let mut scan = survey.scan();
    examine(
        incoming,
        (&mut scan, framing, error),
        each,
        notification_request::read,
        |line, framing, scan, mut each| {
            notification_request::each_trouble(line, framing, scan, &mut each);
        },
    )
    .valid()
}

/// Examines what a server application answers.
pub(crate) fn validate_notification_response<'b>(
    incoming: &impl Incoming<'b, Line = StatusLine<'b>>,
    each: &mut impl FnMut(Error),
) -> (Option<NotificationResponse<'b>>, Deviations) {
    let mut room = Index::EMPTY;
    let (survey, framing, error) = incoming.survey(&mut room);
    let mut scan = survey.scan();
    examine(
        incoming,
        (&mut scan, framing, error),
        each,
        notification_response::read,
        |line, framing, scan, mut each| {
            notification_response::each_trouble(line, framing, scan, &mut each);
        },
    )
    .valid()
}
