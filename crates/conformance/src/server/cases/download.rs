//! Downloads.

use std::ops::Range;

use bits_proto::download::field::MultipartType;
use bits_proto::download::{MultipartEvent, MultipartReader};

use crate::Level::{Must, Robustness, Should};
use crate::content::Content;
use crate::server::answer::Answer;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::test::Test;

/// A date before the entity was created.
const EARLY: &str = "Sat, 01 Jan 2000 00:00:00 GMT";

/// A case about a download.
macro_rules! case {
    ($id:literal, $level:ident, $requirements:expr, $advice:literal, $run:expr) => {
        Entry::new($id, $level, $requirements, $advice, |test| Box::pin($run(test)))
    };
}

pub(super) const CASES: &[Entry] = &[
    case!(
        "download.get",
        Must,
        &["R3.5.5-2"],
        "Answer GET with 200 and the bytes of the entity.",
        get
    ),
    case!(
        "download.head",
        Must,
        &["R3.5.5-2", "R3.5.5.2-1"],
        "Answer HEAD as GET, without the body.",
        head
    ),
    case!(
        "download.length",
        Must,
        &["R3.5.5-5"],
        "Send Content-Length with each entity; BITS refuses downloads of unknown length.",
        any
    )
    .with_rules(&["download-without-length"]),
    case!(
        "download.date",
        Must,
        &["R3.5.5.1-3"],
        "Send Last-Modified with each entity; BITS compares it to resume a download.",
        any
    )
    .with_rules(&["download-without-date"]),
    case!(
        "download.coding",
        Must,
        &["R3.5.5.1-2"],
        "Send no Content-Encoding to clients that accept only identity, as BITS does.",
        any
    )
    .with_rules(&["unrequested-coding"]),
    case!(
        "download.missing",
        Must,
        &["R3.5.5-1"],
        "Answer GET for an entity that does not exist with 404.",
        missing
    ),
    case!(
        "download.empty",
        Must,
        &["R3.5.5-5"],
        "Answer GET for an empty entity with 200 and Content-Length: 0.",
        empty
    ),
    case!(
        "download.range",
        Must,
        &["R3.5.5-3", "R3.5.5.1-2"],
        "Answer a range with 206, Content-Range and exactly its bytes.",
        |test| range(test, "bytes=30-59", 30..60)
    ),
    case!(
        "download.range.first",
        Must,
        &["R3.5.5-3", "R3.5.5.1-2"],
        "Answer `bytes=0-0` with the first byte.",
        |test| range(test, "bytes=0-0", 0..1)
    ),
    case!(
        "download.range.last",
        Must,
        &["R3.5.5-3", "R3.5.5.1-2"],
        "Answer a range of the last byte with 206.",
        |test| range(test, "bytes=199-199", 199..200)
    ),
    case!(
        "download.range.whole",
        Must,
        &["R3.5.5-3", "R3.5.5.1-2"],
        "Answer a range of the whole entity with 206.",
        |test| range(test, "bytes=0-199", 0..200)
    ),
    case!(
        "download.range.open",
        Must,
        &["R3.5.5-3", "R3.5.5.1-1"],
        "Answer a range without an end with the rest of the entity.",
        |test| range(test, "bytes=150-", 150..200)
    ),
    case!(
        "download.range.suffix",
        Must,
        &["R3.5.5-3", "R3.5.5.1-1"],
        "Answer `bytes=-20` with the last 20 bytes.",
        |test| range(test, "bytes=-20", 180..200)
    ),
    case!(
        "download.range.clipped",
        Must,
        &["R3.5.5-3", "R3.5.5.1-1"],
        "Answer a range that extends beyond the entity with its part of the entity.",
        |test| range(test, "bytes=190-999", 190..200)
    ),
    case!(
        "download.range.beyond",
        Must,
        &["R3.5.5.1-1", "RFC9110-14.2"],
        "Answer a range behind the end of the entity with 416.",
        beyond
    ),
    case!(
        "download.range.overflow",
        Robustness,
        &["R3.5.5.1-1"],
        "Answer a range with numbers beyond 64 bits without its low bits.",
        overflow
    ),
    case!(
        "download.ranges",
        Should,
        &["R3.5.5-4"],
        "Answer several ranges with a multipart body; BITS then asks for single ranges otherwise.",
        |test| ranges(test, "bytes=10-19,50-59", &[10..20, 50..60], Several::Required)
    ),
    case!(
        "download.ranges.order",
        Must,
        &["R3.5.5.1-4"],
        "Send the parts in the order of the request.",
        |test| ranges(test, "bytes=100-109,20-29", &[100..110, 20..30], Several::Optional)
    ),
    case!(
        "download.ranges.adjacent",
        Must,
        &["R3.5.5.1-4"],
        "Do not merge adjacent ranges.",
        |test| ranges(test, "bytes=0-9,10-19", &[0..10, 10..20], Several::Optional)
    ),
    case!(
        "download.if_unmodified_since",
        Must,
        &["R3.5.5-1", "RFC9110-13.1.4"],
        "Answer a failed If-Unmodified-Since with 412, with which BITS detects a changed entity.",
        |test| condition(test, "If-Unmodified-Since", 412)
    ),
    case!(
        "download.if_unmodified_since.holds",
        Must,
        &["R3.5.5-1", "RFC9110-13.1.4"],
        "Send the entity if If-Unmodified-Since is the date in Last-Modified, as BITS 7.8 sends it.",
        unmodified
    ),
    case!(
        "download.if_range",
        Must,
        &["R3.5.5-1", "RFC9110-13.1.5"],
        "Ignore Range if If-Range is not the date of the entity.",
        |test| condition(test, "If-Range", 200)
    ),
    case!(
        "download.not_during_upload",
        Should,
        &["R3.5.5.1-2"],
        "Serve an entity only when its upload is closed.",
        not_during_upload
    ),
];

/// Publishes an entity of 200 bytes.
async fn published(test: &mut Test) -> Result<(String, Content), Stop> {
    entity(test, 200).await
}

async fn entity(test: &mut Test, length: u64) -> Result<(String, Content), Stop> {
    if !test.has_downloads() {
        return Err(Stop::Skip("needs downloads (GET)".into()));
    }
    let mut session = test.session(length).await?;
    session.finish().await?;
    Ok((session.path, session.content))
}

/// Downloads with another field.
async fn get_with(test: &Test, path: &str, name: &str, value: &str) -> Result<Answer, Stop> {
    let packet = test.shared.packet("GET", path).add("Accept-Encoding", "identity");
    test.exchange(&packet.add(name, value)).await
}

async fn get(test: &mut Test) -> Outcome {
    let (path, content) = published(test).await?;
    let answer = get_with(test, &path, "Accept", "*/*").await?;
    if answer.status == 200 && answer.body == content.all() {
        return Ok(());
    }
    answer.fail("200 with the bytes of the entity")
}

/// Downloads for the observer.
async fn any(test: &mut Test) -> Outcome {
    let (path, _) = published(test).await?;
    get_with(test, &path, "Accept", "*/*").await.map(drop)
}

async fn head(test: &mut Test) -> Outcome {
    let (path, _) = published(test).await?;
    let mut connection = test.connect().await?;
    let answer = connection.exchange(&test.shared.packet("HEAD", &path)).await?;
    if answer.status != 200 || answer.field("Content-Length").as_deref() != Some("200") {
        return answer.fail("200 with Content-Length: 200");
    }
    if !connection.is_closed {
        // A body would be read as the next response.
        connection.exchange(&test.shared.packet("HEAD", &path)).await?.success()?;
    }
    Ok(())
}

async fn missing(test: &mut Test) -> Outcome {
    published(test).await?;
    let path = test.new_path();
    let answer = get_with(test, &path, "Accept", "*/*").await?;
    match answer.status {
        404 | 410 => Ok(()),
        _ => answer.fail("404"),
    }
}

async fn empty(test: &mut Test) -> Outcome {
    let (path, _) = entity(test, 0).await?;
    let answer = get_with(test, &path, "Accept", "*/*").await?;
    match answer.status {
        200 if answer.field("Content-Length").as_deref() == Some("0") => Ok(()),
        404 => Err(Stop::NotApplicable("server creates no empty entity; see upload.empty".into())),
        _ => answer.fail("200 with Content-Length: 0"),
    }
}

async fn range(test: &mut Test, value: &str, expected: Range<u64>) -> Outcome {
    let (path, content) = published(test).await?;
    let answer = get_with(test, &path, "Range", value).await?;
    let range = format!("bytes {}-{}/200", expected.start, expected.end - 1);
    let is_range = answer.field("Content-Range").as_deref() == Some(&range);
    if answer.status == 206 && is_range && answer.body == content.bytes(expected) {
        return Ok(());
    }
    answer.fail(&format!("206 with Content-Range: {range} and its bytes"))
}

async fn beyond(test: &mut Test) -> Outcome {
    let (path, _) = published(test).await?;
    let answer = get_with(test, &path, "Range", "bytes=200-299").await?;
    if answer.status == 416 { Ok(()) } else { answer.fail("416") }
}

async fn overflow(test: &mut Test) -> Outcome {
    let (path, _) = published(test).await?;
    // Modulo 2 to the power of 64, these are the bytes 0 to 9.
    let value = "bytes=18446744073709551616-18446744073709551625";
    let answer = get_with(test, &path, "Range", value).await?;
    if answer.status == 206 { answer.fail("200, 400 or 416") } else { Ok(()) }
}

/// The support for several ranges that a case expects.
enum Several {
    Required,
    Optional,
}

async fn ranges(
    test: &mut Test,
    value: &str,
    expected: &[Range<u64>],
    several: Several,
) -> Outcome {
    let (path, content) = published(test).await?;
    let answer = get_with(test, &path, "Range", value).await?;
    if answer.status != 206 {
        return match several {
            Several::Required => answer.fail("206 with several parts"),
            Several::Optional => {
                Err(Stop::NotApplicable("server does not support several ranges".into()))
            }
        };
    }
    let parts = parts(&answer)?;
    let expected = expected.iter().map(|it| (it.start, content.bytes(it.clone())));
    if parts == expected.collect::<Vec<_>>() {
        return Ok(());
    }
    let offsets = parts.iter().map(|(start, data)| format!("{}+{}", start, data.len()));
    let offsets = offsets.collect::<Vec<_>>().join(", ");
    Err(Stop::Fail(format!("expected the parts {value}; received the parts {offsets}")))
}

/// Returns the offsets and bytes of the parts.
fn parts(answer: &Answer) -> Result<Vec<(u64, Vec<u8>)>, Stop> {
    let invalid = |error| Stop::Fail(format!("expected several parts: {error}"));
    let content_type = answer.field("Content-Type").unwrap_or_default();
    let content_type = MultipartType::try_from(&*content_type).map_err(invalid)?;
    let mut reader = MultipartReader::new(content_type);
    let (mut parts, mut body) = (Vec::<(u64, Vec<u8>)>::new(), &answer.body[..]);
    while !body.is_empty() {
        let read = reader.read(body).map_err(invalid)?;
        match read.event {
            Some(MultipartEvent::Part(_)) => parts.push((0, Vec::new())),
            Some(MultipartEvent::Data { offset, bytes }) => {
                if let Some((start, data)) = parts.last_mut() {
                    if data.is_empty() {
                        *start = offset;
                    }
                    data.extend_from_slice(bytes);
                }
            }
            _ => {}
        }
        body = body.get(read.consumed..).unwrap_or_default();
    }
    Ok(parts)
}

/// Asks for a range under a condition that does not hold.
async fn condition(test: &mut Test, name: &str, status: u16) -> Outcome {
    let (path, _) = published(test).await?;
    let packet = test.shared.packet("GET", &path).add("Range", "bytes=40-49").add(name, EARLY);
    let answer = test.exchange(&packet).await?;
    if answer.status == status { Ok(()) } else { answer.fail(&status.to_string()) }
}

async fn unmodified(test: &mut Test) -> Outcome {
    let (path, content) = published(test).await?;
    let answer = get_with(test, &path, "Accept", "*/*").await?;
    let Some(date) = answer.field("Last-Modified") else {
        return Err(Stop::Skip("response has no Last-Modified; see download.date".into()));
    };
    let packet = test.shared.packet("GET", &path).add("Range", "bytes=70-79");
    let answer = test.exchange(&packet.add("If-Unmodified-Since", date)).await?;
    if answer.status == 206 && answer.body == content.bytes(70..80) {
        return Ok(());
    }
    answer.fail("206 with the bytes 70 to 79")
}

async fn not_during_upload(test: &mut Test) -> Outcome {
    if !test.has_downloads() {
        return Err(Stop::Skip("needs downloads (GET)".into()));
    }
    let mut session = test.session(202).await?;
    session.accept(0..202).await?;
    let answer = get_with(test, &session.path, "Accept", "*/*").await?;
    // The documentation of Windows publishes the entity with its last byte.
    if answer.status == 200 && answer.body != session.content.all() {
        return answer.fail("404, or the complete entity");
    }
    Ok(())
}
