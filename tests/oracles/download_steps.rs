//! A download under any sequence of events.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bits_proto::download::{
    ByteRange, Download, EventError, Exchange, Options, Poll, Response, Source, State, Validator,
};
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::NO_EXTRAS;

use crate::support::tally;

/// Maximum number of events of one input.
const MAX_EVENTS: usize = 48;

/// Number of the event that is a command or concerns a peer.
const COMMANDS: u8 = 19;

type Ranges = Download<Vec<ByteRange>, Vec<Source>>;

pub fn download_steps(data: &[u8]) {
    // An input that ends early has fewer events.
    let _ = steps(&mut Unstructured::new(data));
}

fn steps(input: &mut Unstructured<'_>) -> Result<()> {
    let ranges = ranges(input)?;
    let (options, seed) = (options(input)?, input.arbitrary()?);
    let mut it = if input.arbitrary()? {
        Ranges::new_with_peers(ranges, options, seed)
    } else {
        // The type of its sources is another one.
        let without_peers = Download::new(ranges, options, seed);
        let stored = serde_json::to_string(&without_peers).expect("a download can be stored");
        serde_json::from_str(&stored).expect("a stored download")
    };
    let mut now = Duration::from_secs(1_000);
    for _ in 0..MAX_EVENTS {
        if input.is_empty() {
            break;
        }
        now += Duration::from_secs(*input.choose(&[0, 0, 0, 1, 59, 300])?);
        let before = form(&it);
        let was_terminal = it.state().is_terminal();
        match occur(&mut it, input, now)? {
            Ok(()) => assert!(!was_terminal || form(&it) == before, "a final state changed"),
            Err(error) => {
                tally::note("download error", &error);
                assert!(!error.to_string().is_empty());
                assert_eq!(form(&it), before, "an illegal event changed the download");
            }
        }
        check(&it);
        let loaded: Ranges = serde_json::from_str(&form(&it)).expect("a stored download");
        if input.ratio(1, 8)? {
            // The body in flight is lost.
            it = loaded;
        }
    }
    it.handle_timeout(Duration::MAX);
    assert_eq!(it.poll_timeout(), None, "a timer that is due was not handled");
    Ok(())
}

/// The stored form, which contains everything but the body of a response in flight.
fn form(it: &Ranges) -> String {
    serde_json::to_string(it).expect("a download can be stored")
}

fn ranges(input: &mut Unstructured<'_>) -> Result<Vec<ByteRange>> {
    let count = *input.choose(&[0, 0, 1, 2, 3])?;
    let mut ranges = Vec::new();
    for _ in 0..count {
        let first = *input.choose(&[0, 1, 5, 100, u64::MAX - 9])?;
        ranges.extend(ByteRange::at(first, *input.choose(&[1, 2, 5, 8])?));
    }
    Ok(ranges)
}

fn options(input: &mut Unstructured<'_>) -> Result<Options> {
    let validators =
        [Validator::None, Validator::IfUnmodifiedSince, Validator::IfMatch, Validator::IfRange];
    Ok(Options::DEFAULT
        .with_head_first(input.arbitrary()?)
        .with_validator(*input.choose(&validators)?)
        .with_max_length(*input.choose(&[0, 1, 7, u64::MAX])?)
        .with_max_ranges(*input.choose(&[0, 1, 2, u32::MAX])?)
        .with_dynamic(input.arbitrary()?)
        .with_allow_missing_validator(input.arbitrary()?)
        .with_skip_to_range(input.arbitrary()?)
        .with_max_retries(*input.choose(&[0, 1, 10])?)
        .with_max_restarts(*input.choose(&[0, 1, 3])?))
}

/// Returns the sources of at most three ranges.
fn sources(input: &mut Unstructured<'_>) -> Result<Vec<Source>> {
    let peer = |index| Source::Peer { index, offset: 0 };
    let each = [Source::Origin, peer(1), peer(2)];
    (0..input.int_in_range(0..=3)?).map(|_| input.choose(&each).copied()).collect()
}

type Outcome = std::result::Result<(), EventError>;

fn occur(it: &mut Ranges, input: &mut Unstructured<'_>, now: Duration) -> Result<Outcome> {
    // Few events are legal in these states, most of them commands.
    let is_idle =
        [State::Search, State::Discard, State::Commit, State::Failed].contains(&it.state());
    let first = if is_idle && input.arbitrary()? { COMMANDS } else { 0 };
    Ok(match input.int_in_range(first..=COMMANDS)? {
        0..=2 => it.handle_sending(now),
        3..=4 => it.handle_sent(now),
        5..=8 => respond(it, input, now)?,
        9..=11 => receive(it, input, now)?,
        12 => it.handle_body_end(now),
        13 => it.handle_transport_failure(now),
        14 => {
            it.handle_timeout(now);
            Ok(())
        }
        15 => it.handle_discarded(),
        16 => it.handle_committed(),
        17 => it.handle_unreadable(None, now),
        18 => it.resume(),
        _ => match input.int_in_range(0..=9)? {
            0 => it.pause(),
            1 => it.cancel(),
            2 => it.provide_credentials(),
            3 => it.handle_storage_failure(*input.choose(&[0, 1, u64::MAX])?),
            4 => it.restart(),
            5 => it.handle_search_finished(sources(input)?),
            6 => it.handle_peer_fetched(),
            7 => it.handle_peer_failed(),
            8 => {
                it.handle_retry_after(Duration::from_secs(300), now);
                Ok(())
            }
            // Options are data of the caller, also of an ended download.
            _ if it.state().is_terminal() => Ok(()),
            _ => it.set_options(options(input)?),
        },
    })
}

fn respond(it: &mut Ranges, input: &mut Unstructured<'_>, now: Duration) -> Result<Outcome> {
    let status =
        *input.choose(&[200, 200, 206, 206, 206, 204, 304, 307, 401, 404, 405, 412, 416, 503])?;
    let status = StatusCode::try_from(status).expect("a status code");
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    let requested = it.transmit().and_then(|it| it.ranges()).into_iter().flatten().next();
    let mut fields: Vec<(&str, String)> = Vec::new();
    match input.int_in_range(0..=5)? {
        0 => {}
        1 => fields.push(("Content-Length", input.choose(&["0", "5", "10", "100"])?.to_string())),
        2 => fields.push(("Transfer-Encoding", "chunked".into())),
        3 => fields.push(("Content-Type", "multipart/byteranges; boundary=bd".into())),
        _ => {
            let total = *input.choose(&["*", "10", "100", "18446744073709551615"])?;
            let range = requested.map_or("0-4".to_owned(), |range| range.to_string());
            fields.push(("Content-Range", format!("bytes {range}/{total}")));
        }
    }
    if input.arbitrary()? {
        fields.push(("ETag", input.choose(&["\"a\"", "\"b\"", "W/\"a\""])?.to_string()));
    }
    if input.arbitrary()? {
        let date = input.choose(&["Sun, 06 Nov 1994 08:49:37 GMT", "yesterday"])?;
        fields.push(("Last-Modified", date.to_string()));
    }
    if input.ratio(1, 16)? {
        fields.push(("Content-Encoding", "gzip".into()));
    }
    let pairs = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    Ok(match Response::from_fields(line, pairs) {
        Ok(response) => it.handle_response(&response, now),
        Err(_) => it.handle_unreadable(Some(status), now),
    })
}

fn receive(it: &mut Ranges, input: &mut Unstructured<'_>, now: Duration) -> Result<Outcome> {
    let pieces = [
        &b"0123456789"[..],
        b"x",
        b"--bd\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n",
        b"--bd\r\nContent-Range: bytes 1-5/10\r\n\r\n",
        b"--bd--\r\n",
    ];
    let mut rest = *input.choose(&pieces)?;
    let mut received = it.received();
    while !rest.is_empty() {
        let data = match it.handle_data(rest, now) {
            Ok(data) => data,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(store) = data.store {
            assert_eq!(store.position, received, "a byte was skipped or stored twice");
            received += store.bytes.len() as u64;
        }
        if data.is_done {
            break;
        }
        assert!(data.consumed > 0, "no progress");
        rest = &rest[data.consumed..];
    }
    Ok(Ok(()))
}

/// Checks what holds in every state.
fn check(it: &Ranges) {
    if let Some(requested) = it.requested() {
        assert!(it.received() <= requested || it.state() == State::Discard, "{it:?}");
    }
    let is_timed = matches!(
        it.exchange(),
        Exchange::Sending | Exchange::Awaiting | Exchange::Receiving | Exchange::BackOff
    );
    assert_eq!(it.poll_timeout().is_some(), is_timed && !it.state().is_terminal());
    match it.poll() {
        Poll::Send => {
            let transmit = it.transmit().expect("a request to send");
            let target = RequestTarget::try_from("/e").expect("a target");
            let head = transmit.encode(target, &NO_EXTRAS).expect("no extras");
            assert_eq!(head.to_vec().len(), head.encoded_len());
            assert!(head.encoded_len() < 8192);
            assert!(transmit.ranges().is_none_or(|mut ranges| ranges.next().is_some()));
        }
        Poll::Commit | Poll::Finished => assert_eq!(it.requested(), Some(it.received())),
        Poll::Wait(until) => assert_eq!(Some(until), it.poll_timeout()),
        Poll::Suspended(reason) | Poll::Failed(reason) => tally::note("download stop", &reason),
        _ => {}
    }
}
