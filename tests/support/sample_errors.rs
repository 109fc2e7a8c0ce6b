//! One error of every kind, each caused by an input to the public API, and its expected properties.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;

use bits_proto::Error;
use bits_proto::download::field::{EntityTag, MultipartType, Range};
use bits_proto::download::{self, MultipartReader};
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::field::{
    ContentEncoding, ContentRange, HResult, HostId, HttpDate, Protocol, ReceivedContentRange,
    ReplyUrl, ResolvedUrl, RetryAfter, SessionId, SupportedProtocols,
};
use bits_proto::http1::{RequestLine, RequestTarget, StatusCode, Version};
use bits_proto::limits::Limits;
use bits_proto::message::{
    Ack, AckContext, Extras, HeaderSlots, NO_EXTRAS, ParseOptions, PingAck, Refusal, RequestHead,
};

use crate::support::chunked;
use crate::support::messages::{Draft, Reader, for_create, for_fragment};

/// An error and its expected properties.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub error: Error,
    pub kind: ErrorKind,
    pub field: Option<&'static str>,
    pub section: &'static str,
    pub offset: Option<usize>,
    pub fault: Fault,
    pub stage: CheckStage,
}

impl Sample {
    /// An error in the packet of a peer.
    const fn of(kind: ErrorKind, error: Error) -> Self {
        Self {
            error,
            kind,
            field: None,
            section: "2.2.1",
            offset: None,
            fault: Fault::PeerBytes,
            stage: CheckStage::Packet,
        }
    }

    fn in_field(self, field: &'static str, section: &'static str) -> Self {
        Self { field: Some(field), section, ..self }
    }

    fn at(self, offset: usize) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// Sets the offset to that of `mark` in `text`.
    fn at_text(self, text: &str, mark: &str) -> Self {
        let offset = text.find(mark);
        self.at(offset.unwrap_or_else(|| panic!("{:?}: {mark:?} not found", self.kind)))
    }

    /// Sets the offset to the empty line that ends the head.
    fn at_end(self, draft: &Draft) -> Self {
        self.at(draft.text().len() - 2)
    }

    fn in_stage(self, stage: CheckStage) -> Self {
        Self { stage, ..self }
    }

    fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// Compares all properties of the error.
    pub fn check(&self) {
        let (kind, error) = (self.kind, self.error);
        assert_eq!(error.kind(), kind);
        assert_eq!(error.field(), self.field, "field of {kind:?}");
        assert_eq!(error.section(), self.section, "section of {kind:?}");
        assert_eq!(error.offset(), self.offset, "offset of {kind:?}");
        assert_eq!(error.fault(), self.fault, "fault of {kind:?}");
        assert_eq!(error.stage(), self.stage, "stage of {kind:?}");
    }
}

/// Returns all samples.
pub fn samples() -> Vec<Sample> {
    [
        head_samples(),
        chunked_samples(),
        request_samples(),
        ack_samples(),
        value_samples(),
        caller_samples(),
        download_samples(),
    ]
    .concat()
}

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);

fn head_error(text: &str, limits: Limits) -> Error {
    let mut slots = HeaderSlots::new();
    match RequestHead::parse_with_limits(text.as_bytes(), &mut slots, &limits) {
        Ok(progress) => panic!("{text:?} was accepted: {progress:?}"),
        Err(error) => error,
    }
}

/// Returns errors in the syntax of a head.
fn head_samples() -> Vec<Sample> {
    let sample = |kind, text: &str, mark: &str| {
        let sample = Sample::of(kind, head_error(text, Limits::DEFAULT));
        sample.in_stage(CheckStage::Http).at_text(text, mark)
    };
    let two_fields = "BITS_POST /e HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
    let limited = |kind, limits, offset| {
        Sample::of(kind, head_error(two_fields, limits)).in_stage(CheckStage::Http).at(offset)
    };
    let one_field = Limits::DEFAULT.with_fields(1);
    let surplus = "BITS_POST /e HTTP/1.1\r\nA: 1\r\n".len();
    let coded = "BITS_POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let lengths = "BITS_POST /e HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n";
    vec![
        sample(ErrorKind::Syntax, "BITS_POST /e HTTP/1.1\r\nBad Name: 1\r\n\r\n", " Name"),
        sample(ErrorKind::BareLineFeed, "BITS_POST /e HTTP/1.1\r\nA: 1\nB: 2\r\n\r\n", "\nB"),
        limited(ErrorKind::HeadTooLarge, Limits::DEFAULT.with_head_bytes(30), 30),
        limited(ErrorKind::TooManyFields, one_field, surplus),
        sample(ErrorKind::HttpVersion, "BITS_POST /e HTTP/2.0\r\n\r\n", "2.0"),
        sample(ErrorKind::TransferEncoding, coded, "Transfer")
            .in_field("Transfer-Encoding", "2.2.1.1"),
        sample(ErrorKind::ContentLengthConflict, lengths, "6\r\n")
            .in_field("Content-Length", "2.2.1.1"),
    ]
}

/// Returns errors in a body that is sent in chunks.
fn chunked_samples() -> Vec<Sample> {
    let limits = Limits::DEFAULT
        .with_chunk_line_bytes(10)
        .with_trailer_bytes(10)
        .with_chunked_body_bytes(1000);
    let sample = |kind, text: &str, offset| {
        let error = match chunked::decode(text.as_bytes(), &limits).end {
            chunked::End::Failed(error) => error,
            end => panic!("{text:?} was accepted: {end:?}"),
        };
        Sample::of(kind, error).in_stage(CheckStage::Http).at(offset)
    };
    vec![
        sample(ErrorKind::ChunkSize, "x\r\n", 0),
        sample(ErrorKind::ChunkEnd, "2\r\nabc", 5),
        sample(ErrorKind::ChunkLineTooLong, "5;12345678\r\n", 10),
        sample(ErrorKind::TrailersTooLarge, "0\r\nA: 123456\r\n\r\n", 13),
        sample(ErrorKind::BodyTooLarge, "3E9\r\n", 4),
    ]
}

/// Returns errors in a request whose head is valid.
fn request_samples() -> Vec<Sample> {
    let get = Draft::notification().line("GET /app HTTP/1.1");
    let put = Draft::ping().line("PUT /e HTTP/1.1");
    let bare = Draft::ping().without("BITS-Packet-Type");
    let sample = |kind, draft: &Draft| Sample::of(kind, REQUEST.error(draft));
    let in_session_id = |kind, draft: &Draft, mark| {
        let sample = sample(kind, draft).in_field("BITS-Session-Id", "2.2.1.2");
        sample.at_text(&draft.text(), mark).in_stage(CheckStage::Limits)
    };
    let in_length = |kind, draft: &Draft, mark| {
        let sample = sample(kind, draft).in_field("Content-Length", "2.2.1.1");
        sample.at_text(&draft.text(), mark)
    };
    let pong = Draft::ping().set("BITS-Packet-Type", "Pong");
    vec![
        Sample::of(ErrorKind::NotPost, Reader::Notification.error(&get))
            .at(0)
            .in_stage(CheckStage::Method),
        sample(ErrorKind::NotBits, &put).at(0).in_stage(CheckStage::Method),
        sample(ErrorKind::MissingField, &bare)
            .in_field("BITS-Packet-Type", "2.2.1.2")
            .at_end(&bare)
            .in_stage(CheckStage::PacketType),
        in_session_id(
            ErrorKind::ConflictingField,
            &Draft::close().with("bits-session-id", "2"),
            "2\r\n\r\n",
        ),
        in_session_id(
            ErrorKind::ValueTooLong,
            &Draft::close().set("BITS-Session-Id", "x".repeat(4097)),
            "xxx",
        ),
        sample(ErrorKind::UnknownPacketType, &pong)
            .in_field("BITS-Packet-Type", "2.2.1.2")
            .at_text(&pong.text(), "Pong")
            .in_stage(CheckStage::PacketType),
        in_length(ErrorKind::UnexpectedBody, &Draft::ping().set("Content-Length", "9"), "9\r\n")
            .in_stage(CheckStage::Length),
        in_length(
            ErrorKind::LengthMismatch,
            &Draft::fragment().set("Content-Length", "101"),
            "101",
        ),
    ]
}

/// Returns errors in a response.
fn ack_samples() -> Vec<Sample> {
    let sample =
        |kind, draft: &Draft, ack_context| Sample::of(kind, Reader::Ack(ack_context).error(draft));
    let page = Draft::ack().without("BITS-Packet-Type");
    let interim = Draft::ack().line("HTTP/1.1 100 Continue");
    let pong = Draft::ack().set("BITS-Packet-Type", "Pong");
    let other = Draft::create_ack().set("BITS-Protocol", "{11111111-1111-1111-1111-111111111111}");
    let beyond = Draft::fragment_ack().set("BITS-Received-Content-Range", "101");
    let lost = Draft::close_ack().line("HTTP/1.1 416 Out of sync");
    vec![
        sample(ErrorKind::NotAnAck, &page, AckContext::Ping)
            .in_field("BITS-Packet-Type", "2.2.1.2")
            .at_end(&page),
        sample(ErrorKind::InterimResponse, &interim, AckContext::Ping).at(0),
        sample(ErrorKind::WrongPacketType, &pong, AckContext::Ping)
            .in_field("BITS-Packet-Type", "2.2.1.2")
            .at_text(&pong.text(), "Pong"),
        sample(ErrorKind::NotOffered, &other, for_create())
            .in_field("BITS-Protocol", "2.2.3.2")
            .at_text(&other.text(), "{1")
            .with_fault(Fault::PeerBehaviour),
        sample(ErrorKind::ReceivedBeyondSent, &beyond, for_fragment(0, 99, 200))
            .in_field("BITS-Received-Content-Range", "2.2.7.2")
            .at_text(&beyond.text(), "101")
            .with_fault(Fault::PeerBehaviour),
        sample(ErrorKind::OutOfSyncWithoutOffset, &lost, for_fragment(0, 99, 200))
            .in_field("BITS-Received-Content-Range", "2.2.7.2")
            .at_end(&lost),
    ]
}

/// Returns errors in a single value.
fn value_samples() -> Vec<Sample> {
    fn sample<T: Debug>(kind: ErrorKind, result: Result<T, Error>) -> Sample {
        caller_sample(kind, result)
    }
    let session_id = ("BITS-Session-Id", "2.2.1.2");
    let range = ("Content-Range", "2.2.6.1");
    let received = ("BITS-Received-Content-Range", "2.2.7.2");
    let long = "x".repeat(101);
    let rows = [
        (sample(ErrorKind::Empty, SessionId::try_from("")), session_id, 0),
        (sample(ErrorKind::TooLong, SessionId::try_from(long.as_str())), session_id, 100),
        (sample(ErrorKind::InvalidByte, SessionId::try_from("a b")), session_id, 1),
        (sample(ErrorKind::NotDecimal, ReceivedContentRange::try_from("5 ")), received, 1),
        (
            sample(
                ErrorKind::NumberTooLarge,
                ReceivedContentRange::try_from("18446744073709551616"),
            ),
            received,
            0,
        ),
        (sample(ErrorKind::NotHexadecimal, HResult::parse("0xG")), ("BITS-Error", "2.2.1.2"), 2),
        (sample(ErrorKind::ZeroErrorCode, HResult::try_from("0x0")), ("BITS-Error", "2.2.1.2"), 0),
        (
            sample(ErrorKind::NotRetryAfter, RetryAfter::try_from("soon")),
            ("Retry-After", "2.2.1"),
            0,
        ),
        (sample(ErrorKind::NotGuid, Protocol::try_from("{}")), ("BITS-Protocol", "2.2.3.2"), 0),
        (
            sample(ErrorKind::ProtocolCount, SupportedProtocols::try_from(",")),
            ("BITS-Supported-Protocols", "2.2.2.2"),
            0,
        ),
        (sample(ErrorKind::NotByteRange, ContentRange::try_from("bytes 0-4")), range, 9),
        (sample(ErrorKind::FirstBeyondLast, ContentRange::try_from("bytes 1-0/2")), range, 6),
        (sample(ErrorKind::LastBeyondTotal, ContentRange::try_from("bytes 0-2/2")), range, 6),
        (
            sample(ErrorKind::UnsupportedEncoding, ContentEncoding::try_from("gzip")),
            ("Content-Encoding", "2.2.6.1"),
            0,
        ),
        (sample(ErrorKind::NotHost, HostId::try_from("h/")), ("BITS-Host-Id", "2.2.3.2"), 0),
        (
            sample(ErrorKind::NotAbsoluteUrl, ReplyUrl::try_from("http:r")),
            ("BITS-Reply-URL", "2.2.7.2"),
            0,
        ),
        (
            sample(ErrorKind::UnsupportedScheme, ReplyUrl::try_from("ftp://o/r")),
            ("BITS-Reply-URL", "2.2.7.2"),
            0,
        ),
    ];
    let placed = |(sample, (field, section), offset): (Sample, _, _)| {
        Sample { fault: Fault::Caller, ..sample }.in_field(field, section).at(offset)
    };
    rows.map(placed).to_vec()
}

/// Returns errors in messages that a caller wants to write.
fn caller_samples() -> Vec<Sample> {
    let ping_ack = Ack::Ping(PingAck);
    let with = |name: &str, value: &str| {
        let extras = Extras::from_fields([0; 64], [(name, value)])?;
        ping_ack.encode(&extras).map(drop)
    };
    let encoder = ping_ack.encode(&NO_EXTRAS);
    let encoder = encoder.unwrap_or_else(|error| panic!("an Ack for a Ping: {error}"));
    let needed = encoder.encoded_len();
    let host = HostId::try_from("h").unwrap_or_else(|error| panic!("h: {error}"));
    vec![
        caller_sample(ErrorKind::NotRefusal, Refusal::new(StatusCode::OK)),
        caller_sample(ErrorKind::NotDestination, host.rewrite("/e")),
        caller_sample(ErrorKind::NotHttpDate, HttpDate::try_from("soon")).at(0),
        caller_sample(ErrorKind::NotStatus, StatusCode::try_from(99)),
        caller_sample(ErrorKind::NotTarget, RequestTarget::try_from("/two words")),
        caller_sample(ErrorKind::ReservedExtra, with("Content-Length", "5"))
            .in_field("Content-Length", "2.2"),
        caller_sample(ErrorKind::ExtraName, with("two words", "5")),
        caller_sample(ErrorKind::ExtraValue, with("Server", "a\r\nb")),
        caller_sample(ErrorKind::BufferTooSmall { needed }, encoder.write(&mut [0; 3])),
    ]
}

/// Returns errors in the fields and bodies of downloads.
fn download_samples() -> Vec<Sample> {
    let line = RequestLine { method: "POST", target: "/e", version: Version::Http11 };
    let method = download::Request::from_fields(line, []);
    let multipart = MultipartType::try_from("multipart/byteranges; boundary=b");
    let multipart = multipart.unwrap_or_else(|error| panic!("a boundary: {error}"));
    let delimiter = MultipartReader::new(multipart).read(b"--c");
    let redirect = ResolvedUrl::from_redirect(b"http://h/e", "https://h/e", &mut []);
    let value = |sample: Sample, field, offset| sample.in_field(field, "2.3").at(offset);
    let peer = |sample: Sample, section| Sample { section, fault: Fault::PeerBytes, ..sample };
    vec![
        peer(caller_sample(ErrorKind::NotDownload, method), "2.3").in_stage(CheckStage::Method),
        value(caller_sample(ErrorKind::NotRangeList, Range::try_from("bytes=x")), "Range", 6),
        value(
            caller_sample(
                ErrorKind::NotContentRange,
                download::field::ContentRange::try_from("bytes 0-4"),
            ),
            "Content-Range",
            9,
        ),
        value(caller_sample(ErrorKind::NotEntityTag, EntityTag::try_from("a")), "ETag", 0),
        value(
            caller_sample(ErrorKind::NotMultipart, MultipartType::try_from("text/plain")),
            "Content-Type",
            0,
        ),
        peer(caller_sample(ErrorKind::NotDelimiter, delimiter), "2.3").at(2),
        Sample { section: "2.3", ..caller_sample(ErrorKind::InsecureRedirect, redirect).at(0) },
    ]
}

fn caller_sample<T: Debug>(kind: ErrorKind, result: Result<T, Error>) -> Sample {
    let error = match result {
        Ok(value) => panic!("{kind:?}: accepted as {value:?}"),
        Err(error) => error,
    };
    Sample { section: "2.2", fault: Fault::Caller, ..Sample::of(kind, error) }
}
