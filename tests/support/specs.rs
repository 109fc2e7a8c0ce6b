//! Owned descriptions of any message that can be built, with its deviations.

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, CopyFileToDestination, ErrorContext, HResult,
    HostId, HostIdFallbackTimeout, OriginalRequestUrl, ReceivedContentRange, ReplyUrl,
    RequestDataFileName, ResponseDataFileName, RetryAfter, StaticResponseUrl,
};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, AckContext, CancelSession, CancelSessionAck, CloseSession, CloseSessionAck, CreateSession,
    CreateSessionAck, Fragment, FragmentAck, MessageKind, NotificationRequest,
    NotificationResponse, NotifiedEntity, Ping, PingAck, Refusal, Request,
};

use super::read::Message;
use super::values::{ProtocolsSpec, SessionSpec};

#[derive(Clone, Debug)]
pub struct RequestSpec {
    pub kind: MessageKind,
    pub session: SessionSpec,
    pub range: ContentRange,
    pub protocols: ProtocolsSpec,
    pub content_name: Option<Vec<u8>>,
    pub content_encoding: Option<ContentEncoding>,
}

impl RequestSpec {
    pub fn view(&self) -> Request<'_> {
        let session_id = self.session.view();
        let content_name = self.content_name.as_deref();
        let content_name = content_name.map(|name| ContentName::try_from(name).expect("content"));
        match self.kind {
            MessageKind::Ping => Ping { content_name }.into(),
            MessageKind::CreateSession => {
                CreateSession { supported_protocols: self.protocols.view(), content_name }.into()
            }
            MessageKind::CloseSession => CloseSession { session_id, content_name }.into(),
            MessageKind::CancelSession => CancelSession { session_id, content_name }.into(),
            _ => {
                let (content_range, content_encoding) = (self.range, self.content_encoding);
                Fragment { session_id, content_range, content_name, content_encoding }.into()
            }
        }
    }

    fn deviations(&self) -> Deviations {
        let long = self.content_name.as_ref().is_some_and(|name| name.len() > 260);
        Deviations::from_iter(long.then_some(Deviation::LongContentName))
    }
}

#[derive(Clone, Debug)]
pub struct RefusalSpec {
    pub base: Refusal<'static>,
    pub error: Option<(HResult, ErrorContext)>,
    pub received: Option<u64>,
    pub names_session: bool,
    pub retry_after: Option<RetryAfter>,
}

impl RefusalSpec {
    fn view<'r>(&self, request: &'r RequestSpec) -> Refusal<'r> {
        let total = request.range.total();
        let mut refusal: Refusal<'r> = self.base;
        if let Some((code, context)) = self.error {
            refusal = refusal.with_error(code, context);
        }
        if let Some(received) = self.received {
            refusal = refusal.with_received(ReceivedContentRange(received.min(total)));
        }
        if let Some(retry_after) = self.retry_after {
            refusal = refusal.with_retry_after(retry_after);
        }
        if self.names_session {
            refusal = refusal.with_session_id(request.session.view());
        }
        refusal
    }

    fn deviations(&self, refusal: &Refusal<'_>) -> Deviations {
        let status = refusal.status().get();
        let silent = refusal.code().is_none() && status >= 400 && status != 416;
        let unknown = refusal.context().is_some_and(|context| ![5, 7].contains(&context.0));
        [
            silent.then_some(Deviation::MissingError),
            unknown.then_some(Deviation::UnknownErrorContext),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// An Ack that matches its request.
#[derive(Clone, Debug)]
pub struct AckSpec {
    pub request: RequestSpec,
    pub refusal: Option<RefusalSpec>,
    pub names_session: bool,
    /// Index of the chosen protocol among those offered.
    pub chosen: usize,
    /// Index of the acknowledged offset among the possible ones.
    pub received: usize,
    pub reply_url: Option<Vec<u8>>,
    pub host: Option<String>,
    pub timeout: Option<u32>,
    pub accept_encoding: Option<ContentEncoding>,
}

impl AckSpec {
    pub fn view(&self) -> Ack<'_> {
        if let Some(refusal) = &self.refusal {
            return refusal.view(&self.request).into();
        }
        let session_id = self.names_session.then(|| self.request.session.view());
        match self.request.kind {
            MessageKind::Ping => PingAck.into(),
            MessageKind::CreateSession => self.create_session_ack().into(),
            MessageKind::CloseSession => CloseSessionAck { session_id }.into(),
            MessageKind::CancelSession => CancelSessionAck { session_id }.into(),
            _ => FragmentAck { session_id, received: self.received(), reply_url: self.reply_url() }
                .into(),
        }
    }

    fn create_session_ack(&self) -> CreateSessionAck<'_> {
        let offered: Vec<_> = self.request.protocols.view().iter().collect();
        CreateSessionAck {
            protocol: offered[self.chosen % offered.len()],
            session_id: self.request.session.view(),
            host_id: self.host.as_deref().map(|host| HostId::try_from(host).expect("a host")),
            host_id_fallback_timeout: self.timeout.map(HostIdFallbackTimeout),
            accept_encoding: self.accept_encoding,
        }
    }

    fn received(&self) -> ReceivedContentRange {
        let end = self.request.range.end();
        let choices = [0, self.request.range.first(), end - 1, end];
        ReceivedContentRange(choices[self.received % choices.len()])
    }

    fn reply_url(&self) -> Option<ReplyUrl<'_>> {
        let url = self.reply_url.as_deref().filter(|_| self.request.range.is_last())?;
        Some(ReplyUrl::try_from(url).expect("a reference"))
    }

    fn deviations(&self) -> Deviations {
        match self.view() {
            Ack::Refused(refused) => {
                let spec = self.refusal.as_ref().expect("a refusal has a specification");
                spec.deviations(&refused)
            }
            Ack::CreateSession(ack) => [
                ack.host_id.and_then(|host| host.port()).map(|_| Deviation::HostIdPort),
                (self.host.is_some() && self.timeout.is_none())
                    .then_some(Deviation::HostIdWithoutTimeout),
                (self.host.is_none() && self.timeout.is_some())
                    .then_some(Deviation::TimeoutWithoutHostId),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Ack::Ping(_) => Deviations::EMPTY,
            Ack::Fragment(FragmentAck { reply_url: Some(url), .. })
                if url.as_bytes().len() > 2200 =>
            {
                let missing = (!self.names_session).then_some(Deviation::MissingSessionId);
                missing.into_iter().chain([Deviation::LongReplyUrl]).collect()
            }
            _ => (!self.names_session).then_some(Deviation::MissingSessionId).into_iter().collect(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct NotificationRequestSpec {
    pub url: Vec<u8>,
    pub paths: Option<(Vec<u8>, Vec<u8>)>,
    pub content_length: u64,
}

impl NotificationRequestSpec {
    pub fn view(&self) -> NotificationRequest<'_> {
        let entity = match &self.paths {
            Some((request, response)) => NotifiedEntity::ByReference {
                request: RequestDataFileName::try_from(&request[..]).expect("a path"),
                response: ResponseDataFileName::try_from(&response[..]).expect("a path"),
            },
            None => NotifiedEntity::ByValue { content_length: self.content_length },
        };
        let original_request_url = OriginalRequestUrl::try_from(&self.url[..]).expect("a URL");
        NotificationRequest { original_request_url, entity }
    }
}

fn is_absolute(url: &[u8]) -> bool {
    let url = url.to_ascii_lowercase();
    url.starts_with(b"http://") || url.starts_with(b"https://")
}

#[derive(Clone, Debug)]
pub struct NotificationResponseSpec {
    pub status: StatusCode,
    pub url: Option<Vec<u8>>,
    pub copy: Option<Vec<u8>>,
    pub content_length: Option<u64>,
}

impl NotificationResponseSpec {
    pub fn view(&self) -> NotificationResponse<'_> {
        let url = self.url.as_deref();
        let copy = self.copy.as_deref();
        NotificationResponse {
            status: self.status,
            static_response_url: url.map(|url| StaticResponseUrl::try_from(url).expect("a URL")),
            copy_file_to_destination: copy
                .map(|copy| CopyFileToDestination::try_from(copy).expect("content")),
            content_length: self.content_length,
        }
    }

    fn deviations(&self) -> Deviations {
        let relative = self.url.as_ref().is_some_and(|url| !is_absolute(url));
        let has_no_body = [204, 304].contains(&self.status.get());
        let missing = self.content_length.is_none() && !has_no_body;
        let both = self.url.is_some() && self.content_length.is_some_and(|length| length > 0);
        let other = self.status.is_success() && self.status != StatusCode::OK;
        [
            other.then_some(Deviation::ApplicationSuccess),
            relative.then_some(Deviation::RelativeStaticUrl),
            both.then_some(Deviation::UnexpectedBody),
            missing.then_some(Deviation::MissingContentLength),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A message of any kind.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are few at a time")]
pub enum Spec {
    Request(RequestSpec),
    Ack(AckSpec),
    NotificationRequest(NotificationRequestSpec),
    NotificationResponse(NotificationResponseSpec),
}

impl Spec {
    pub fn view(&self) -> Message<'_> {
        match self {
            Self::Request(spec) => spec.view().into(),
            Self::Ack(spec) => spec.view().into(),
            Self::NotificationRequest(spec) => spec.view().into(),
            Self::NotificationResponse(spec) => spec.view().into(),
        }
    }

    pub fn is_sent_by_client(&self) -> bool {
        matches!(self, Self::Request(_) | Self::NotificationRequest(_))
    }

    /// Returns the context to parse it with, arbitrary if the message is not a response.
    pub fn ack_context(&self) -> AckContext<'_> {
        match self {
            Self::Ack(spec) => AckContext::from(&spec.request.view()),
            _ => AckContext::Ping,
        }
    }

    /// Returns the deviations that the message has however it is written.
    pub fn deviations(&self) -> Deviations {
        match self {
            Self::Request(spec) => spec.deviations(),
            Self::Ack(spec) => spec.deviations(),
            Self::NotificationRequest(_) => Deviations::EMPTY,
            Self::NotificationResponse(spec) => spec.deviations(),
        }
    }
}
