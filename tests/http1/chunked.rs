//! Bodies in chunks: the same result for every split, equal to that of a reference decoder.

use crate::support;
use bits_proto::Error;
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::http1::{ChunkedDecoder, ChunkedPart};
use bits_proto::limits::Limits;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::cases::config;
use support::chunked::{End, Outcome, check_against_reference, decode, decode_pieces};

/// Bodies and beginnings of bodies.
const INPUTS: &[&[u8]] = &[
    b"0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
    b"0003\r\na\r\n\r\n000\r\n\r\n",
    b"a;x=\"y;\xFF\"\r\n0123456789\r\nA \t;\r\n0123456789\r\n0 ;end\r\n\r\n",
    b"1\r\n\n\r\n0\r\nExpires: never\r\nNot a field\r\n folded\r\n\r\n",
    b"5\r\nhel",
    b"fFfFfFfFfFfFfFfF\r\nendless",
    b"x",
    b"3 \r\nabc",
    b"3\nabc\n0\n\n",
    b"3\r\nabcd\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\nA: b\n\r\n",
    b"3\r\nabc\r\n0\r\nA: b\rc\r\n\r\n",
    b"1\r\na\r\nffffffffffffffff\r\nbcd",
    b"00000000000000001\r\na\r\n",
];

fn limits() -> [Limits; 2] {
    let narrow =
        Limits::DEFAULT.with_chunk_line_bytes(8).with_trailer_bytes(12).with_chunked_body_bytes(12);
    [Limits::DEFAULT, narrow]
}

#[test]
fn an_input_has_the_same_result_byte_by_byte_and_split_anywhere() {
    for (input, limits) in INPUTS.iter().flat_map(|input| limits().map(|limits| (*input, limits))) {
        let whole = decode(input, &limits);
        check_against_reference(input, &limits, &whole);
        let text = input.escape_ascii();
        assert_eq!(decode_pieces(input.chunks(1), &limits), whole, "{text} byte by byte");
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let pieces = [&input[..first], &input[first..second], &input[second..]];
                assert_eq!(decode_pieces(pieces, &limits), whole, "{text} at {first}, {second}");
            }
        }
    }
}

#[test]
fn every_prefix_of_a_body_is_partial() {
    for input in INPUTS {
        let End::Complete(length) = decode(input, &Limits::DEFAULT).end else { continue };
        for at in 0..length {
            let end = decode(&input[..at], &Limits::DEFAULT).end;
            assert_eq!(end, End::Partial, "{} cut at {at}", input.escape_ascii());
        }
    }
}

fn decoded(input: &[u8]) -> Outcome {
    decode(input, &Limits::DEFAULT)
}

#[test]
fn extensions_and_trailers_are_skipped() {
    let input = b"2;a=b\r\nab\r\n1 \t; c = \"\xFF;\"\r\nc\r\n0;d\r\nA: 1\r\nB:\r\n\r\nnext";
    let expected = Outcome { data: b"abc".to_vec(), end: End::Complete(input.len() - 4) };
    assert_eq!(decoded(input), expected);
}

#[test]
fn a_chunk_size_is_read_in_both_letter_cases_and_with_leading_zeros() {
    for size in ["b", "B", "0b", "000000000000000B"] {
        let input = format!("{size}\r\nhello world\r\n0\r\n\r\n");
        let expected = Outcome { data: b"hello world".to_vec(), end: End::Complete(input.len()) };
        assert_eq!(decoded(input.as_bytes()), expected, "{size}");
    }
}

#[test]
fn data_is_part_of_the_input() {
    let mut decoder = ChunkedDecoder::default();
    let input = b"6\r\nab";
    let part = decoder.decode(input);
    assert_eq!(part, Ok(ChunkedPart::Data { data: b"ab", consumed: 5 }));
    assert_eq!(decoder.decode(b""), Ok(ChunkedPart::Partial));
    let part = decoder.decode(b"cdef\r\n0\r\n\r\nx");
    assert_eq!(part, Ok(ChunkedPart::Data { data: b"cdef", consumed: 4 }));
    assert_eq!(decoder.decode(b"\r\n0\r\n\r\nx"), Ok(ChunkedPart::End { consumed: 7 }));
    assert_eq!(decoder.decode(b"x"), Ok(ChunkedPart::End { consumed: 0 }));
}

fn error(input: &[u8], limits: &Limits) -> Error {
    match decode(input, limits).end {
        End::Failed(error) => error,
        end => panic!("{} was accepted: {end:?}", input.escape_ascii()),
    }
}

#[test]
fn each_byte_that_readers_may_interpret_differently_is_an_error_at_its_offset() {
    use ErrorKind::*;
    for (input, kind, offset) in [
        // httparse accepts the first five.
        (&b"\r\n"[..], ChunkSize, 0),
        (b"5 \r\n", ChunkSize, 2),
        (b"5\t\r\n", ChunkSize, 2),
        (b"5;a\nb\r\n", BareLineFeed, 3),
        (b"5;a\0\r\n", InvalidByte, 3),
        (b"\n", BareLineFeed, 0),
        (b"5\n", BareLineFeed, 1),
        (b"5 \n", BareLineFeed, 2),
        (b" 5\r\n", ChunkSize, 0),
        (b";a\r\n", ChunkSize, 0),
        (b"+5\r\n", ChunkSize, 0),
        (b"-1\r\n", ChunkSize, 0),
        (b"0x5\r\n", ChunkSize, 1),
        (b"5,6\r\n", ChunkSize, 1),
        (b"5 6\r\n", ChunkSize, 2),
        (b"5g\r\n", ChunkSize, 1),
        (b"5\r\r\n", ChunkEnd, 2),
        (b"5\r5\n", ChunkEnd, 2),
        (b"5;a\rb\r\n", ChunkEnd, 4),
        (b"5;\x7F\r\n", InvalidByte, 2),
        (b"00000000000000005\r\n", ChunkSize, 16),
        (b"1\r\nab", ChunkEnd, 4),
        (b"1\r\na\n", BareLineFeed, 4),
        (b"1\r\na\rb", ChunkEnd, 5),
        (b"1\r\na\r\n\r\n", ChunkSize, 6),
        (b"0\r\n\n", BareLineFeed, 3),
        (b"0\r\n\rx", ChunkEnd, 4),
        (b"0\r\nA: b\n", BareLineFeed, 7),
        (b"0\r\nA: b\rc", ChunkEnd, 8),
        (b"0\r\nA: \0\r\n", InvalidByte, 6),
        (b"0\r\n\0", InvalidByte, 3),
        (b"1\r\na\r\nffffffffffffffff\r\n", BodyTooLarge, 23),
    ] {
        let text = input.escape_ascii();
        let error = error(input, &Limits::DEFAULT);
        assert_eq!((error.kind(), error.offset()), (kind, Some(offset)), "{text}");
        assert_eq!((error.fault(), error.stage()), (Fault::PeerBytes, CheckStage::Http), "{text}");
        assert_eq!(error.field(), None, "{text}");
    }
}

#[test]
fn a_line_a_trailer_and_a_body_are_accepted_at_the_limit_and_rejected_beyond_it() {
    let limits =
        Limits::DEFAULT.with_chunk_line_bytes(6).with_trailer_bytes(9).with_chunked_body_bytes(5);
    for (accepted, rejected, kind, offset, limit) in [
        ("3;ab\r\nabc", "3;abc\r\nabc", ErrorKind::ChunkLineTooLong, 6, 6),
        ("3  ;\r\n", "3     ;", ErrorKind::ChunkLineTooLong, 6, 6),
        ("0\r\nA: bc\r\n", "0\r\nA: bcdefg\r\n", ErrorKind::TrailersTooLarge, 12, 9),
        ("0\r\nA:bcd\r\n\r\n", "0\r\nA:bcde\r\n\r\n", ErrorKind::TrailersTooLarge, 12, 9),
        ("5\r\nabcde\r\n", "6\r\nabcdef", ErrorKind::BodyTooLarge, 2, 5),
        ("3\r\nabc\r\n2\r\nab", "3\r\nabc\r\n3\r\nabc", ErrorKind::BodyTooLarge, 10, 5),
    ] {
        let end = decode(accepted.as_bytes(), &limits).end;
        assert!(!matches!(end, End::Failed(_)), "{accepted:?}: {end:?}");
        let error = error(rejected.as_bytes(), &limits);
        assert_eq!((error.kind(), error.offset()), (kind, Some(offset)), "{rejected:?}");
        assert_eq!(error.limit(), Some(limit), "{rejected:?}");
    }
}

#[test]
fn a_line_has_up_to_4096_bytes_and_trailers_up_to_16384_by_default() {
    let line = |length: usize| format!("1;{}\r\n", "a".repeat(length - 4));
    let trailers = |length: usize| format!("0\r\nA:{}\r\n\r\n", "b".repeat(length - 6));
    for (accepted, rejected, kind) in [
        (line(4096), line(4097), ErrorKind::ChunkLineTooLong),
        (trailers(16_384), trailers(16_385), ErrorKind::TrailersTooLarge),
    ] {
        let end = decode(accepted.as_bytes(), &Limits::DEFAULT).end;
        assert!(!matches!(end, End::Failed(_)), "{end:?}");
        assert_eq!(error(rejected.as_bytes(), &Limits::DEFAULT).kind(), kind);
    }
}

#[test]
fn every_line_may_be_as_long_as_the_limit() {
    let limits = Limits::DEFAULT.with_chunk_line_bytes(8);
    let input = [&b"1;ext\r\na\r\n".repeat(100)[..], b"0;ext\r\n\r\n"].concat();
    let expected = Outcome { data: vec![b'a'; 100], end: End::Complete(input.len()) };
    assert_eq!(decode(&input, &limits), expected);
}

/// Valid bodies with arbitrary data, extensions and trailers.
fn body() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let extension = select(vec!["", ";a", " ;b=\"c\"", "\t; \t"]);
    let chunk = (vec(any::<u8>(), 1..40), 0..4_usize, extension);
    let trailer = select(vec!["A: b\r\n", "C:\r\n", "no field\r\n"]);
    (vec(chunk, 0..8), vec(trailer, 0..3)).prop_map(|(chunks, trailers)| {
        let (mut coded, mut data) = (Vec::new(), Vec::new());
        for (chunk, zeros, extension) in &chunks {
            let size = format!("{}{:x}{extension}\r\n", "0".repeat(*zeros), chunk.len());
            coded.extend_from_slice(&[size.as_bytes(), chunk, b"\r\n"].concat());
            data.extend_from_slice(chunk);
        }
        coded.extend_from_slice(format!("0\r\n{}\r\n", trailers.concat()).as_bytes());
        (coded, data)
    })
}

/// Cuts an input at these places.
fn pieces<'b>(input: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    places.sort_unstable();
    let starts = [0].into_iter().chain(places.clone());
    let ends = places.iter().copied().chain([input.len()]);
    starts.zip(ends).map(|(start, end)| &input[start..end]).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_body_that_was_encoded_is_decoded_from_any_pieces(
        (coded, data) in body(),
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let next = b"HTTP/1.1 200 OK";
        let input = [&coded[..], next].concat();
        let expected = Outcome { data, end: End::Complete(coded.len()) };
        prop_assert_eq!(decode_pieces(pieces(&input, &cuts), &Limits::DEFAULT), expected);
    }

    #[test]
    fn a_changed_body_has_the_result_of_the_reference_decoder(
        (mut coded, _) in body(),
        changes in vec((any::<Index>(), select(b"\r\n;0a \tx\0".to_vec())), 0..4),
        cuts in vec(any::<Index>(), 0..4),
    ) {
        for (at, byte) in changes {
            let at = at.index(coded.len());
            coded[at] = byte;
        }
        for limits in limits() {
            let whole = decode(&coded, &limits);
            check_against_reference(&coded, &limits, &whole);
            prop_assert_eq!(decode_pieces(pieces(&coded, &cuts), &limits), whole);
        }
    }
}
