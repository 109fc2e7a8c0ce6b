//! The measured heads: those of the vectors, in the form of Microsoft's captures.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hint::black_box;

use bits_proto::http1::{Progress, RequestLine, StartLine, StatusLine};
use bits_proto::message::{
    Ack, AckContext, HeaderSlots, NotificationRequest, NotificationResponse, ParseOptions, Request,
    RequestHead,
};

use bits_proto_test_tools::vectors;

/// One number for all parsers.
pub const SLOTS: usize = 32;

/// One head, with its kind.
pub struct Head {
    pub name: String,
    pub bytes: Vec<u8>,
    pub kind: Kind,
}

/// The parser for the head.
#[derive(Clone, Copy)]
pub enum Kind {
    Request,
    Ack(AckContext<'static>),
    NotificationRequest,
    NotificationResponse,
}

impl Head {
    pub fn is_response(&self) -> bool {
        matches!(self.kind, Kind::Ack(_) | Kind::NotificationResponse)
    }

    /// Parses bytes into the typed message, with all checks.
    #[inline]
    pub fn read(&self) {
        let mut slots = HeaderSlots::<SLOTS>::with_capacity();
        match self.kind {
            Kind::Request => {
                let head = whole::<RequestLine<'_>>(&self.bytes, &mut slots);
                black_box(&Request::from_head(&head, &ParseOptions::DEFAULT))
                    .as_ref()
                    .expect("valid");
            }
            Kind::Ack(ack_context) => {
                let head = whole::<StatusLine<'_>>(&self.bytes, &mut slots);
                black_box(&Ack::from_head(&head, &ack_context)).as_ref().expect("valid");
            }
            Kind::NotificationRequest => {
                let head = whole::<RequestLine<'_>>(&self.bytes, &mut slots);
                black_box(&NotificationRequest::from_head(&head)).as_ref().expect("valid");
            }
            Kind::NotificationResponse => {
                let head = whole::<StatusLine<'_>>(&self.bytes, &mut slots);
                black_box(&NotificationResponse::from_head(&head)).as_ref().expect("valid");
            }
        }
    }

    /// Parses only the HTTP part.
    #[inline]
    pub fn read_head(&self) {
        let mut slots = HeaderSlots::<SLOTS>::with_capacity();
        if self.is_response() {
            black_box(&whole::<StatusLine<'_>>(&self.bytes, &mut slots));
        } else {
            black_box(&whole::<RequestLine<'_>>(&self.bytes, &mut slots));
        }
    }
}

#[inline]
fn whole<'h, 'b, L: StartLine<'b> + Debug>(
    bytes: &'b [u8],
    slots: &'h mut HeaderSlots<'b, SLOTS>,
) -> bits_proto::message::Head<'h, 'b, L> {
    match bits_proto::message::Head::parse(black_box(bytes), slots) {
        Ok(Progress::Complete(head)) => head,
        other => panic!("{other:?} of {}", bytes.escape_ascii()),
    }
}

/// Returns every head of the whole conversations, except those of downloads, which are plain HTTP.
pub fn all() -> Vec<Head> {
    let mut rows = BTreeMap::new();
    for row in vectors::manifest(&vectors::folder()) {
        rows.entry(row["file"].clone()).or_insert_with(Vec::new).push(row["kind"].clone());
    }
    let mut heads = Vec::new();
    for file in vectors::CONVERSATIONS {
        let mut sent = AckContext::Ping;
        for (bytes, word) in vectors::conversation(file).into_iter().zip(&rows[file]) {
            let kind = match word.as_str() {
                "ack" => Kind::Ack(sent),
                "notification-request" => Kind::NotificationRequest,
                "notification-response" => Kind::NotificationResponse,
                "download" => continue,
                _ => Kind::Request,
            };
            let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head") + 4;
            let name = format!("{}/{}-{word}", file.trim_end_matches(".http"), heads.len());
            heads.push(Head { name, bytes: bytes[..end].to_vec(), kind });
            if let (Kind::Request, Some(head)) = (kind, heads.last()) {
                sent = ack_context(&head.bytes);
            }
        }
    }
    heads
}

/// Returns the context for the Ack to a request: all that a client knows except texts.
fn ack_context(request: &[u8]) -> AckContext<'static> {
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(request, &mut slots).expect("valid").complete();
    let decoded = Request::from_head(&head.expect("complete"), &ParseOptions::DEFAULT);
    match decoded.expect("valid").message {
        Request::Ping(_) => AckContext::Ping,
        Request::CreateSession(_) => AckContext::CreateSession { offered: None },
        Request::Fragment(fragment) => AckContext::Fragment {
            session_id: None,
            content_range: Some(fragment.content_range),
            sent_up_to: None,
        },
        Request::CloseSession(_) => AckContext::CloseSession { session_id: None },
        Request::CancelSession(_) => AckContext::CancelSession { session_id: None },
        _ => panic!("a variant that this code does not know"),
    }
}
