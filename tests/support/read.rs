//! Parses any input in all possible ways, and collects the results in one value.

use bits_proto::Error;
use bits_proto::field::FieldName;
use bits_proto::http1::{Framing, Progress, RequestLine, RequestTarget, StartLine, StatusLine};
use bits_proto::limits::Limits;
use bits_proto::message::presence::{self, Presence};
use bits_proto::message::{
    Ack, AckContext, Decoded, Encoder, Extras, Head, HeaderSlots, MessageKind, NotificationRequest,
    NotificationResponse, ParseOptions, Request, RequestHead, ResponseHead, Validated,
};

/// The result of parsing a message.
pub type Read<'b> = Result<Decoded<Message<'b>>, Error>;
pub type Pair<'b> = (&'b str, &'b [u8]);

/// A complete head, and the result of each decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole<'b, L> {
    pub line: L,
    pub len: usize,
    pub framing: Framing,
    pub fields: Vec<Pair<'b>>,
    pub decoded: Vec<Read<'b>>,
}

/// The result of parsing an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<'b, L> {
    Partial,
    Refused(Error),
    Whole(Whole<'b, L>),
}

/// A message of any kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message<'b> {
    Request(Request<'b>),
    Ack(Ack<'b>),
    NotificationRequest(NotificationRequest<'b>),
    NotificationResponse(NotificationResponse<'b>),
}

impl<'b> Message<'b> {
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Request(request) => request.kind(),
            Self::Ack(ack) => ack.kind(),
            Self::NotificationRequest(request) => request.kind(),
            Self::NotificationResponse(_) => MessageKind::NotificationResponse,
        }
    }

    /// Returns its encoder.
    pub fn encoder<'e>(
        &'e self,
        target: &'e str,
        extras: &'e Extras<&mut [u8]>,
    ) -> Result<Encoder<'e>, Error> {
        match self {
            Self::Request(request) => request.encode(RequestTarget::try_from(target)?, extras),
            Self::Ack(ack) => ack.encode(extras),
            Self::NotificationRequest(request) => {
                request.encode(RequestTarget::try_from(target)?, extras)
            }
            Self::NotificationResponse(response) => response.encode(extras),
        }
    }

    /// Encodes it into a vector, with an output that all feature sets have.
    pub fn encode(&self, target: &str, extras: &[Pair<'_>]) -> Result<Vec<u8>, Error> {
        let mut storage = Vec::new();
        let extras = stored(&mut storage, extras)?;
        self.encoder(target, &extras).map(|encoder| written(&encoder))
    }
}

/// Stores extra fields in as many bytes as they take.
pub fn stored<'s>(
    storage: &'s mut Vec<u8>,
    fields: &[Pair<'_>],
) -> Result<Extras<&'s mut [u8]>, Error> {
    let length = fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    storage.resize(length, 0xFF);
    Extras::from_fields(storage.as_mut_slice(), fields.iter().copied())
}

/// Returns the bytes that an encoder writes.
pub fn written(encoder: &Encoder<'_>) -> Vec<u8> {
    let mut buffer = vec![0; encoder.encoded_len()];
    let written = encoder.write(&mut buffer);
    assert_eq!(written, Ok(buffer.len()));
    buffer
}

macro_rules! into_message {
    ($($kind:ident)+) => { $(
        impl<'b> From<$kind<'b>> for Message<'b> {
            fn from(message: $kind<'b>) -> Self {
                Self::$kind(message)
            }
        }
    )+ };
}

into_message!(Request Ack NotificationRequest NotificationResponse);

pub fn any<'b, M: Into<Message<'b>>>(result: Result<Decoded<M>, Error>) -> Read<'b> {
    result.map(|Decoded { message, deviations }| Decoded { message: message.into(), deviations })
}

/// Checks that validation finds the error that parsing returned first, or the same message.
fn validated<'b, M>(
    parsed: Result<Decoded<M>, Error>,
    validate: impl FnOnce(&mut dyn FnMut(Error)) -> Validated<M>,
) -> Read<'b>
where
    M: Into<Message<'b>> + PartialEq + std::fmt::Debug,
{
    let mut errors = Vec::new();
    let validated = validate(&mut |error| errors.push(error));
    match &parsed {
        Ok(Decoded { message, deviations }) => {
            assert_eq!((errors.as_slice(), validated.message.as_ref()), (&[][..], Some(message)));
            assert_eq!(validated.deviations, *deviations);
        }
        Err(error) => {
            assert_eq!((errors.first(), validated.message), (Some(error), None));
        }
    }
    any(parsed)
}

/// A start line, with the decoders of all messages that begin with it.
pub trait Line<'b>: StartLine<'b> + Copy + PartialEq + std::fmt::Debug {
    fn decode_head(head: &Head<'_, 'b, Self>, ack_context: &AckContext<'_>) -> Vec<Read<'b>>
    where
        Self: Sized;

    fn decode_fields(self, fields: &[Pair<'b>], ack_context: &AckContext<'_>) -> Vec<Read<'b>>;

    /// Checks that parsing from `http` types gives the same results as parsing bytes. Returns `false` if the
    /// `http` crate cannot represent the message.
    #[cfg(feature = "http")]
    fn check_http(
        self,
        fields: &[Pair<'_>],
        ack_context: &AckContext<'_>,
        from_head: &[Read<'_>],
    ) -> bool;
}

impl<'b> Line<'b> for RequestLine<'b> {
    fn decode_head(head: &RequestHead<'_, 'b>, _: &AckContext<'_>) -> Vec<Read<'b>> {
        vec![
            validated(Request::from_head(head, &ParseOptions::DEFAULT), |each| {
                Request::validate(head, &ParseOptions::DEFAULT, each)
            }),
            validated(Request::from_head(head, &ParseOptions::LENIENT), |each| {
                Request::validate(head, &ParseOptions::LENIENT, each)
            }),
            validated(NotificationRequest::from_head(head), |each| {
                NotificationRequest::validate(head, each)
            }),
        ]
    }

    fn decode_fields(self, fields: &[Pair<'b>], _: &AckContext<'_>) -> Vec<Read<'b>> {
        let fields = || fields.iter().copied();
        vec![
            validated(Request::from_fields(self, fields(), &ParseOptions::DEFAULT), |each| {
                Request::validate_fields(self, fields(), &ParseOptions::DEFAULT, each)
            }),
            validated(Request::from_fields(self, fields(), &ParseOptions::LENIENT), |each| {
                Request::validate_fields(self, fields(), &ParseOptions::LENIENT, each)
            }),
            validated(NotificationRequest::from_fields(self, fields()), |each| {
                NotificationRequest::validate_fields(self, fields(), each)
            }),
        ]
    }

    #[cfg(feature = "http")]
    fn check_http(self, fields: &[Pair<'_>], _: &AckContext<'_>, from_head: &[Read<'_>]) -> bool {
        super::http_types::check_request(&self, fields, from_head)
    }
}

impl<'b> Line<'b> for StatusLine<'b> {
    fn decode_head(head: &ResponseHead<'_, 'b>, ack_context: &AckContext<'_>) -> Vec<Read<'b>> {
        vec![
            validated(Ack::from_head(head, ack_context), |each| {
                Ack::validate(head, ack_context, each)
            }),
            validated(NotificationResponse::from_head(head), |each| {
                NotificationResponse::validate(head, each)
            }),
        ]
    }

    fn decode_fields(self, fields: &[Pair<'b>], ack_context: &AckContext<'_>) -> Vec<Read<'b>> {
        let fields = || fields.iter().copied();
        vec![
            validated(Ack::from_fields(self, fields(), ack_context), |each| {
                Ack::validate_fields(self, fields(), ack_context, each)
            }),
            validated(NotificationResponse::from_fields(self, fields()), |each| {
                NotificationResponse::validate_fields(self, fields(), each)
            }),
        ]
    }

    #[cfg(feature = "http")]
    fn check_http(
        self,
        fields: &[Pair<'_>],
        ack_context: &AckContext<'_>,
        from_head: &[Read<'_>],
    ) -> bool {
        super::http_types::check_response(&self, fields, ack_context, from_head)
    }
}

/// Parses an input in all possible ways.
pub fn answer_within<'b, L: Line<'b>, const N: usize>(
    input: &'b [u8],
    ack_context: &AckContext<'_>,
    limits: &Limits,
) -> Answer<'b, L> {
    let mut slots = HeaderSlots::<N>::with_capacity();
    match Head::<L>::parse_with_limits(input, &mut slots, limits) {
        Ok(Progress::Partial) => Answer::Partial,
        Err(error) => Answer::Refused(error),
        Ok(Progress::Complete(head)) => {
            let fields: Vec<_> = head.fields().collect();
            assert_eq!(head.fields().size_hint(), (fields.len(), Some(fields.len())));
            assert_eq!(Framing::from_fields(head.fields()), Ok(head.framing()), "{fields:?}");
            Answer::Whole(Whole {
                line: head.line(),
                len: head.len(),
                framing: head.framing(),
                fields,
                decoded: L::decode_head(&head, ack_context),
            })
        }
    }
}

pub fn answer<'b, L: Line<'b>>(input: &'b [u8], ack_context: &AckContext<'_>) -> Answer<'b, L> {
    answer_within::<L, 64>(input, ack_context, &Limits::default())
}

/// Returns the request that an Ack answers, by its name in the manifest.
pub fn ack_context(word: &str) -> AckContext<'static> {
    match word {
        "ping" => AckContext::Ping,
        "create-session" => AckContext::CreateSession { offered: None },
        "close-session" => AckContext::CloseSession { session_id: None },
        "cancel-session" => AckContext::CancelSession { session_id: None },
        "-" | "fragment" | "notification" => {
            AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None }
        }
        other => panic!("unknown request in the manifest: {other:?}"),
    }
}

/// Returns true if the field belongs to the transport and not to a message of this kind.
pub fn is_extra(kind: MessageKind, name: &str) -> bool {
    FieldName::from_name(name).is_none_or(|field| presence::of(kind, field) == Presence::Ignored)
}

/// Returns the fields of a head that a message of this kind does not write itself.
pub fn extras<'b>(kind: MessageKind, fields: &[Pair<'b>]) -> Vec<Pair<'b>> {
    fields.iter().copied().filter(|(name, _)| is_extra(kind, name)).collect()
}

/// Parses the head of a request, which must be complete.
pub fn request_head<'h, 'b>(
    name: &str,
    bytes: &'b [u8],
    slots: &'h mut HeaderSlots<'b, 64>,
) -> RequestHead<'h, 'b> {
    complete_head(name, bytes, slots)
}

/// Parses the head of a response, which must be complete.
pub fn response_head<'h, 'b>(
    name: &str,
    bytes: &'b [u8],
    slots: &'h mut HeaderSlots<'b, 64>,
) -> ResponseHead<'h, 'b> {
    complete_head(name, bytes, slots)
}

fn complete_head<'h, 'b, L: StartLine<'b> + std::fmt::Debug>(
    name: &str,
    bytes: &'b [u8],
    slots: &'h mut HeaderSlots<'b, 64>,
) -> Head<'h, 'b, L> {
    match Head::<L>::parse(bytes, slots) {
        Ok(Progress::Complete(head)) => head,
        other => panic!("{name}: {other:?} of {}", bytes.escape_ascii()),
    }
}
