//! Downloads: values, the response of a server, and reading of several ranges.

use bits_proto::download::field::{
    Boundary, ContentRange, EntityTag, IfMatch, IfNoneMatch, IfRange, MultipartType, Range,
    RangeItem,
};
use bits_proto::download::{
    ByteRange, Entity, HeaderSlots, MultipartEvent, MultipartReader, Piece, Plan, PlanLimits,
    Request, RequestHead, Response, ResponseHead,
};
use bits_proto::field::{HttpDate, RetryAfter};
use bits_proto::http1::Progress;
use bits_proto::message::NO_EXTRAS;

/// Reads a value as every field of downloads. The ranges of a request agree with a reference.
pub fn parse_range(data: &[u8]) {
    let range = Range::try_from(data).ok().map(|range| range.iter().collect::<Vec<_>>());
    assert_eq!(range, reference_ranges(data), "{}", data.escape_ascii());
    for item in range.into_iter().flatten() {
        for length in [0, 1, 500, u64::MAX] {
            if let Some(range) = item.resolve(length) {
                assert!(range.end() <= length);
            }
        }
    }
    if let Ok(value) = ContentRange::try_from(data) {
        assert_eq!(ContentRange::try_from(&*value.to_string()), Ok(value));
        assert!(value.range().is_some() || value.total().is_some());
    }
    if let Ok(tag) = EntityTag::try_from(data) {
        assert_eq!(tag.as_bytes(), data);
        assert!(tag.matches_weakly(&tag));
        assert_eq!(tag.matches_strongly(&tag), !tag.is_weak());
        let (if_match, if_none_match) = (IfMatch::try_from(data), IfNoneMatch::try_from(data));
        assert_eq!(if_match.expect("one tag").matches(Some(&tag)), !tag.is_weak());
        assert!(if_none_match.expect("one tag").matches(Some(&tag)));
        assert_eq!(IfRange::try_from(data), Ok(IfRange::Tag(tag)));
    }
    let (if_match, if_none_match) = (IfMatch::try_from(data), IfNoneMatch::try_from(data));
    assert_eq!(if_match.is_ok(), if_none_match.is_ok());
    if let Ok(date) = HttpDate::try_from(data) {
        assert_eq!(HttpDate::try_from(date.to_string().as_bytes()), Ok(date));
        assert_eq!(IfRange::try_from(data), Ok(IfRange::Date(date)));
        assert_eq!(RetryAfter::try_from(data), Ok(RetryAfter::Date(date)));
    }
    if let Ok(content_type) = MultipartType::try_from(data) {
        assert!((1..=70).contains(&content_type.boundary().len()));
    }
}

/// Reads a Range with the string functions of `std`.
fn reference_ranges(value: &[u8]) -> Option<Vec<RangeItem>> {
    let value = std::str::from_utf8(value).ok()?;
    let (unit, list) = value.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let items = list.split(',').map(|item| item.trim_matches([' ', '\t']));
    let items: Vec<_> = items.filter(|item| !item.is_empty()).map(reference_item).collect();
    if items.is_empty() { None } else { items.into_iter().collect() }
}

fn reference_item(item: &str) -> Option<RangeItem> {
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = item.split_once('-')?;
    match (first, last) {
        ("", length) => number(length).map(|length| RangeItem::Suffix { length }),
        (first, "") => number(first).map(|first| RangeItem::From { first }),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(RangeItem::Closed { first, last })
        }
    }
}

/// The events of a body: the parts, their bytes, the end, and the error.
#[derive(Debug, Default, PartialEq, Eq)]
struct Events {
    parts: Vec<(ContentRange, Vec<u8>)>,
    ended: bool,
    is_complete: bool,
    error: Option<bits_proto::Error>,
}

/// Reads a body with several ranges: any split gives the same events.
pub fn multipart(data: &[u8]) {
    let whole = read(data, data.len().max(1));
    for length in [1, 2, 7] {
        assert_eq!(read(data, length), whole, "pieces of {length}: {}", data.escape_ascii());
    }
    for (content_range, bytes) in &whole.parts {
        let length = content_range.range().expect("the range of a part").len();
        assert!(bytes.len() as u64 <= length);
    }
}

fn read(body: &[u8], length: usize) -> Events {
    let content_type = MultipartType::try_from("multipart/byteranges; boundary=bd");
    let mut reader = MultipartReader::new(content_type.expect("a boundary"));
    let mut events = Events::default();
    for mut piece in body.chunks(length) {
        while !piece.is_empty() {
            let read = match reader.read(piece) {
                Ok(read) => read,
                Err(error) => {
                    assert!(error.offset().is_some_and(|offset| offset <= body.len()));
                    events.error = Some(error);
                    return events;
                }
            };
            match read.event {
                Some(MultipartEvent::Part(part)) => events.parts.push((part, Vec::new())),
                Some(MultipartEvent::Data { offset, bytes }) => {
                    let (part, data) = events.parts.last_mut().expect("data after a part");
                    let first = part.range().expect("the range of a part").first();
                    assert_eq!(offset, first + data.len() as u64);
                    data.extend_from_slice(bytes);
                }
                Some(MultipartEvent::End) => events.ended = true,
                _ => {}
            }
            piece = &piece[read.consumed..];
        }
    }
    events.is_complete = reader.is_complete();
    assert!(!events.is_complete || events.ended);
    events
}

/// Answers a request head: the plan has the length that it states, and a client reads the response.
pub fn download_plan(data: &[u8]) {
    let mut slots = HeaderSlots::new();
    let Ok(Progress::Complete(head)) = RequestHead::parse(data, &mut slots) else { return };
    let Ok(request) = Request::from_head(&head) else { return };
    let pairs = Request::from_fields(head.line(), head.fields());
    assert_eq!(pairs, Ok(request));
    let tag = EntityTag::try_from("\"a\"").ok();
    let modified = HttpDate::from_unix_seconds(784_111_777);
    for length in [0, 1, 1000, u64::MAX] {
        let entity = Entity::new(length).with_tag(tag).with_modified(modified);
        let boundary = Boundary::from_random(5);
        let plan = Plan::new(&request, &entity, &PlanLimits::DEFAULT, boundary);
        check_plan(&plan, request.method().as_str() == "HEAD", length);
    }
}

fn check_plan(plan: &Plan<'_>, is_head: bool, length: u64) {
    let mut sum = 0_u64;
    for piece in plan.pieces() {
        match piece {
            Piece::Framing(head) => assert_eq!(head.to_vec().len() as u64, piece.len()),
            Piece::Entity(range) => assert!(range.end() <= length),
            other => panic!("an unknown piece: {other:?}"),
        }
        sum += piece.len();
    }
    if is_head {
        assert_eq!(sum, 0);
    } else {
        assert_eq!(sum, plan.content_length().unwrap_or(0));
    }
    let bytes = plan.encode(&NO_EXTRAS).expect("no extras").to_vec();
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(&bytes, &mut slots).expect("a valid head");
    let Progress::Complete(head) = head else { panic!("a complete head") };
    let response = Response::from_head(&head).expect("a valid response");
    assert_eq!(response.content_range, plan.content_range());
    match plan.status().get() {
        200 | 416 => assert_eq!(response.entity_length(), Some(length)),
        206 => assert!(response.content_range.is_some() != response.multipart.is_some()),
        304 | 412 => assert_eq!((sum, response.content_range), (0, None)),
        other => panic!("an unexpected status: {other}"),
    }
    let whole = ByteRange::whole(length).map(Piece::Entity);
    if plan.status().get() == 200 && !is_head {
        assert_eq!(plan.pieces().next(), whole);
    }
}
