//! Reading a growing input: whole, byte by byte, split anywhere and with more behind it, the
//! answer is the same.

mod common;

use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::head::{
    Head, Progress, RequestHead, RequestLine, ResponseHead, Slots, StartLine, StatusLine,
};
use bits_proto::limits::Limits;
use bits_proto::message::{Ack, NotificationRequest, NotificationResponse, Policy, Request};
use common::{Vector, asked, post, vectors};

/// What a head came to, without its borrows.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Complete { len: usize, said: String },
    Partial,
    Refused(Error),
}

fn answer<'b, L: StartLine<'b> + std::fmt::Debug>(
    bytes: &'b [u8],
    read: impl Fn(&Head<'_, 'b, L>) -> String,
) -> Answer {
    let mut slots = Slots::new();
    match Head::<L>::parse(bytes, &mut slots) {
        Ok(Progress::Complete(head)) => {
            let said = format!("{:?} {:?} {}", head.line(), head.fields(), read(&head));
            Answer::Complete { len: head.len(), said }
        }
        Ok(Progress::Partial) => Answer::Partial,
        Err(error) => Answer::Refused(error),
    }
}

/// Everything that can be made of a request: as a packet, strictly and leniently, as a
/// notification; from bytes and from pairs.
fn read_request(head: &RequestHead<'_, '_>) -> String {
    let policies = [Policy::DEFAULT, Policy::LENIENT];
    let packets = policies.map(|policy| {
        let whole = Request::from_head(head, &policy);
        agree(&whole, &Request::from_fields(head.line(), head.fields(), &policy), head.len());
        whole
    });
    let notification = NotificationRequest::from_head(head);
    let pairs = NotificationRequest::from_fields(head.line(), head.fields());
    agree(&notification, &pairs, head.len());
    format!("{packets:?} {notification:?}")
}

fn read_response(head: &ResponseHead<'_, '_>) -> String {
    let acks = ["ping", "create", "fragment", "last", "close", "cancel"].map(|request| {
        let ack = Ack::from_head(head, &asked(request));
        let pairs = Ack::from_fields(head.line(), head.fields(), &asked(request));
        agree(&ack, &pairs, head.len());
        ack
    });
    let notified = NotificationResponse::from_head(head);
    let pairs = NotificationResponse::from_fields(head.line(), head.fields());
    agree(&notified, &pairs, head.len());
    format!("{acks:?} {notified:?}")
}

/// Bytes and pairs say the same, but for the place of an error, which lies in the head.
fn agree<T: PartialEq + std::fmt::Debug>(
    bytes: &Result<T, Error>,
    pairs: &Result<T, Error>,
    len: usize,
) {
    match (bytes, pairs) {
        (Ok(bytes), Ok(pairs)) => assert_eq!(bytes, pairs),
        (Err(bytes), Err(pairs)) => {
            assert!(bytes.offset().is_some_and(|offset| offset < len), "{bytes}");
            let say = |error: &Error| (error.kind(), error.field(), error.stage(), error.fault());
            assert_eq!(say(bytes), say(pairs));
            assert_eq!(pairs.offset(), None);
        }
        (bytes, pairs) => panic!("{bytes:?} from bytes, {pairs:?} from pairs"),
    }
}

fn answer_of(vector: &Vector, bytes: &[u8]) -> Answer {
    if vector.is_request {
        answer::<RequestLine<'_>>(bytes, read_request)
    } else {
        answer::<StatusLine<'_>>(bytes, read_response)
    }
}

#[test]
fn every_prefix_is_partial_or_the_answer_of_the_whole() {
    for vector in vectors() {
        let whole = answer_of(&vector, &vector.bytes);
        let end = match &whole {
            Answer::Complete { len, .. } => *len,
            Answer::Partial | Answer::Refused(_) => vector.bytes.len(),
        };
        let mut is_refused = false;
        for cut in 0..end {
            match answer_of(&vector, &vector.bytes[..cut]) {
                Answer::Partial => assert!(!is_refused, "{} at {cut}", vector.name),
                answer => {
                    assert_eq!(answer, whole, "{} at {cut}", vector.name);
                    assert!(matches!(whole, Answer::Refused(_)), "{} at {cut}", vector.name);
                    is_refused = true;
                }
            }
        }
    }
}

#[test]
fn what_follows_a_head_changes_nothing() {
    for vector in vectors() {
        let whole = answer_of(&vector, &vector.bytes);
        if whole == Answer::Partial {
            continue;
        }
        for more in [&b"x"[..], b"\r\n", b"\n", b"\0\xFF", &vector.bytes] {
            let longer = [&vector.bytes[..], more].concat();
            assert_eq!(answer_of(&vector, &longer), whole, "{} and {more:?}", vector.name);
        }
    }
}

#[test]
fn empty_lines_before_a_head_belong_to_it() {
    let bytes = post(&["BITS-Packet-Type: Ping", "Content-Length: 0"]);
    let vector = Vector { name: "ping".into(), bytes, is_request: true };
    let Answer::Complete { len, said } = answer_of(&vector, &vector.bytes) else { panic!() };
    let later = [b"\r\n\r\n", &vector.bytes[..]].concat();
    assert_eq!(answer_of(&vector, &later), Answer::Complete { len: len + 4, said });
    assert_eq!(answer_of(&vector, b"\r\n\r"), Answer::Partial);
    let Answer::Refused(error) = answer_of(&vector, b"\r\n\nBITS") else { panic!() };
    assert_eq!((error.kind(), error.offset()), (ErrorKind::BareLineFeed, Some(2)));
}

fn within<const N: usize>(bytes: &[u8], limits: &Limits) -> Result<bool, ErrorKind> {
    let mut slots = Slots::<N>::with_room();
    RequestHead::parse_within(bytes, &mut slots, limits)
        .map(|progress| matches!(progress, Progress::Complete(_)))
        .map_err(|error| error.kind())
}

#[test]
fn a_head_past_the_limit_is_an_error_and_never_partial() {
    let bytes = post(&["BITS-Packet-Type: Ping", "Content-Length: 0"]);
    let limits = |head_bytes| Limits { head_bytes, ..Limits::DEFAULT };
    assert_eq!(within::<64>(&bytes, &limits(bytes.len())), Ok(true), "exactly the limit");
    for head_bytes in 0..bytes.len() {
        let limits = limits(head_bytes);
        for cut in 0..=bytes.len() {
            let expected = if cut < head_bytes { Ok(false) } else { Err(ErrorKind::HeadTooLarge) };
            assert_eq!(within::<64>(&bytes[..cut], &limits), expected, "{cut} of {head_bytes}");
        }
    }
    let endless = vec![b'a'; 16 * 1024];
    assert_eq!(within::<64>(&endless, &Limits::DEFAULT), Err(ErrorKind::HeadTooLarge));
    assert_eq!(within::<64>(&endless[1..], &Limits::DEFAULT), Ok(false));
}

#[test]
fn fields_past_the_limit_are_an_error() {
    let with = |count: usize| {
        let fields: Vec<String> = (0..count).map(|index| format!("F{index}: v")).collect();
        post(&fields.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let limits = |fields| Limits { fields, ..Limits::DEFAULT };
    assert_eq!(within::<64>(&with(64), &Limits::DEFAULT), Ok(true));
    assert_eq!(within::<64>(&with(65), &Limits::DEFAULT), Err(ErrorKind::TooManyFields));
    assert_eq!(within::<100>(&with(65), &limits(100)), Ok(true), "more room, and a higher limit");
    assert_eq!(within::<100>(&with(65), &limits(64)), Err(ErrorKind::TooManyFields));
    assert_eq!(within::<2>(&with(3), &Limits::DEFAULT), Err(ErrorKind::TooManyFields));
    assert_eq!(within::<2>(&with(2), &limits(2)), Ok(true));
    assert_eq!(within::<64>(&with(1), &limits(0)), Err(ErrorKind::TooManyFields));
    assert_eq!(within::<64>(&with(0), &limits(0)), Ok(true));
}
