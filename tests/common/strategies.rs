//! Any message that can be built, kept with the texts it borrows.

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, CopyFileToDestination, ErrorContext, HResult,
    HostId, HostIdFallbackTimeout, OriginalRequestUrl, ReceivedContentRange, ReplyUrl,
    RequestDataFileName, ResponseDataFileName, StaticResponseUrl,
};
use bits_proto::head::Status;
use bits_proto::message::{
    Ack, AckFor, CancelSession, CancelSessionAck, CloseSession, CloseSessionAck, CreateSession,
    CreateSessionAck, ErrorFields, Fragment, FragmentAck, MessageKind, NotificationRequest,
    NotificationResponse, NotifiedEntity, Ping, PingAck, Refusal, Request,
};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::read::Message;
use super::values::{
    ProtocolsSpec, SessionSpec, content, host, protocols, range, reference, session,
};

#[derive(Clone, Debug)]
pub struct RequestSpec {
    kind: MessageKind,
    session: SessionSpec,
    range: ContentRange,
    protocols: ProtocolsSpec,
    content_name: Option<Vec<u8>>,
    content_encoding: Option<ContentEncoding>,
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

pub fn request() -> impl Strategy<Value = RequestSpec> {
    let kinds = MessageKind::ALL.iter().copied().filter(|kind| kind.is_request());
    let name = prop_oneof![5 => content(0..40), 1 => content(250..300)];
    (
        select(kinds.collect::<Vec<_>>()),
        session(),
        range(),
        protocols(),
        of(name),
        of(Just(ContentEncoding::Identity)),
    )
        .prop_map(|(kind, session, range, protocols, content_name, content_encoding)| {
            RequestSpec { kind, session, range, protocols, content_name, content_encoding }
        })
}

#[derive(Clone, Debug)]
pub struct RefusalSpec {
    base: Refusal<'static>,
    error: Option<(HResult, ErrorContext)>,
    received: Option<u64>,
    names_session: bool,
}

fn status() -> impl Strategy<Value = Status> {
    let usual = select(vec![204, 302, 304, 400, 401, 403, 404, 413, 416, 500, 501, 503]);
    prop_oneof![usual, 202..=999_u16].prop_map(|code| Status::try_from(code).expect("three digits"))
}

fn refusal_base() -> impl Strategy<Value = Refusal<'static>> {
    let named = select(vec![
        Refusal::invalid_argument(),
        Refusal::length_required(),
        Refusal::access_denied(),
        Refusal::uploads_disabled(),
        Refusal::session_not_found(),
        Refusal::too_large(),
        Refusal::disk_full(HResult::DISK_FULL),
    ]);
    let out_of_sync = |_| Refusal::out_of_sync(ReceivedContentRange(0));
    let by_status =
        status().prop_map(move |status| Refusal::new(status).unwrap_or_else(out_of_sync));
    prop_oneof![1 => named, 3 => by_status]
}

fn refusal() -> impl Strategy<Value = RefusalSpec> {
    let context = prop_oneof![Just(5), Just(7), any::<u32>()].prop_map(ErrorContext);
    let code =
        prop_oneof![select(HResult::KNOWN), (1..=u32::MAX).prop_filter_map("zero", HResult::new),];
    (refusal_base(), of((code, context)), of(any::<u64>()), any::<bool>()).prop_map(
        |(base, error, received, names_session)| RefusalSpec {
            base,
            error,
            received,
            names_session,
        },
    )
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

/// An Ack that fits its request.
#[derive(Clone, Debug)]
pub struct AckSpec {
    pub request: RequestSpec,
    refusal: Option<RefusalSpec>,
    names_session: bool,
    chosen: Index,
    received: Index,
    reply_url: Option<Vec<u8>>,
    host: Option<String>,
    timeout: Option<u32>,
    accept_encoding: Option<ContentEncoding>,
}

pub fn ack() -> impl Strategy<Value = AckSpec> {
    (
        (request(), of(refusal()), any::<bool>(), any::<Index>(), any::<Index>()),
        (of(reference()), of(host()), of(any::<u32>()), of(Just(ContentEncoding::Identity))),
    )
        .prop_map(|(first, second)| {
            let (request, refusal, names_session, chosen, received) = first;
            let (reply_url, host, timeout, accept_encoding) = second;
            AckSpec {
                request,
                refusal,
                names_session,
                chosen,
                received,
                reply_url,
                host,
                timeout,
                accept_encoding,
            }
        })
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
            protocol: *self.chosen.get(&offered),
            session_id: self.request.session.view(),
            host_id: self.host.as_deref().map(|host| HostId::try_from(host).expect("a host")),
            host_id_fallback_timeout: self.timeout.map(HostIdFallbackTimeout),
            accept_encoding: self.accept_encoding,
        }
    }

    fn received(&self) -> ReceivedContentRange {
        let end = self.request.range.end();
        let choices = [0, self.request.range.first(), end - 1, end];
        ReceivedContentRange(*self.received.get(&choices))
    }

    fn reply_url(&self) -> Option<ReplyUrl<'_>> {
        let url = self.reply_url.as_deref().filter(|_| self.request.range.is_last())?;
        Some(ReplyUrl::try_from(url).expect("a reference"))
    }

    fn deviations(&self) -> Deviations {
        match self.view() {
            Ack::Refused(refused) => {
                let spec = self.refusal.as_ref().expect("a refusal is made of one");
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
    url: Vec<u8>,
    paths: Option<(Vec<u8>, Vec<u8>)>,
    content_length: u64,
}

pub fn notification_request() -> impl Strategy<Value = NotificationRequestSpec> {
    let paths = of((content(1..60), content(1..60)));
    let absolute = "https?://[a-z]{1,9}/[!-~]{0,20}".prop_map(String::into_bytes);
    let url = prop_oneof![content(1..60), absolute];
    (url, paths, any::<u64>()).prop_map(|(url, paths, content_length)| NotificationRequestSpec {
        url,
        paths,
        content_length,
    })
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

    fn deviations(&self) -> Deviations {
        let relative = (!is_absolute(&self.url)).then_some(Deviation::RelativeOriginalUrl);
        relative.into_iter().collect()
    }
}

fn is_absolute(url: &[u8]) -> bool {
    let url = url.to_ascii_lowercase();
    url.starts_with(b"http://") || url.starts_with(b"https://")
}

#[derive(Clone, Debug)]
pub struct NotificationResponseSpec {
    status: Status,
    url: Option<Vec<u8>>,
    copy: Option<Vec<u8>>,
    content_length: Option<u64>,
}

pub fn notification_response() -> impl Strategy<Value = NotificationResponseSpec> {
    let status = prop_oneof![Just(Status::OK), status()];
    let length = weighted(0.8, prop_oneof![Just(0), any::<u64>()]);
    (status, of(reference()), of(content(0..10)), length).prop_map(
        |(status, url, copy, content_length)| NotificationResponseSpec {
            status,
            url,
            copy,
            // Nothing says so in the type, but a 204 is sent without a length whatever it holds.
            content_length: content_length.filter(|_| status.get() != 204),
        },
    )
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
        [
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

    /// The request it is read in the light of; any, where there is none.
    pub fn ack_for(&self) -> AckFor<'_> {
        match self {
            Self::Ack(spec) => AckFor::from(&spec.request.view()),
            _ => AckFor::Ping,
        }
    }

    /// What is unusual about it however carefully it is written.
    pub fn deviations(&self) -> Deviations {
        match self {
            Self::Request(spec) => spec.deviations(),
            Self::Ack(spec) => spec.deviations(),
            Self::NotificationRequest(spec) => spec.deviations(),
            Self::NotificationResponse(spec) => spec.deviations(),
        }
    }
}

pub fn message() -> impl Strategy<Value = Spec> {
    prop_oneof![
        3 => request().prop_map(Spec::Request),
        4 => ack().prop_map(Spec::Ack),
        1 => notification_request().prop_map(Spec::NotificationRequest),
        1 => notification_response().prop_map(Spec::NotificationResponse),
    ]
}

pub fn target() -> impl Strategy<Value = String> {
    prop_oneof!["/[!-~]{0,40}", "[!-~]{1,40}", "https?://[a-z]{1,9}/[!-~]{0,20}"]
}

pub fn error_fields() -> impl Strategy<Value = ErrorFields> {
    select(vec![ErrorFields::Both, ErrorFields::Error, ErrorFields::ErrorCode])
}
