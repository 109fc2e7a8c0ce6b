//! Checks for any input: parsing does not panic, gives the same result however the input is split, and errors
//! have an offset within the input.

use bits_proto::Error;
use bits_proto::http1::HeadScanner;
use bits_proto::limits::Limits;
use bits_proto::message::{
    Ack, AckContext, Decoded, HeaderSlots, MessageKind, ParseOptions, Refusal,
};

use super::read::{Answer, Line, Message, answer, response_head};
use super::serialize;

/// Parses an input whole and split, as one kind of message, and from its fields.
pub fn check_input<'b, L: Line<'b>>(
    input: &'b [u8],
    ack_context: &AckContext<'_>,
    cuts: impl IntoIterator<Item = usize>,
) {
    let whole = answer::<L>(input, ack_context);
    let mut cuts: Vec<_> = cuts.into_iter().collect();
    cuts.sort_unstable();
    let mut end = HeadScanner::new();
    for cut in cuts {
        let received = &input[..cut];
        let prefix = answer::<L>(received, ack_context);
        let is_there = matches!(&whole, Answer::Whole(head) if head.len <= cut);
        assert!(
            prefix == whole || (prefix == Answer::Partial && !is_there),
            "{} cut at {cut}: {prefix:?}\nbut as a whole: {whole:?}",
            input.escape_ascii()
        );
        let should_parse = end.should_parse(received);
        assert!(should_parse || !is_there, "{} cut at {cut}", input.escape_ascii());
    }
    match whole {
        Answer::Partial => {
            assert!(input.len() < Limits::DEFAULT.head_bytes, "`Partial` beyond the limit")
        }
        Answer::Refused(error) => check_error(error, input),
        Answer::Whole(whole) => {
            #[cfg(feature = "http")]
            whole.line.check_http(&whole.fields, ack_context, &whole.decoded);
            let from_fields = whole.line.decode_fields(&whole.fields, ack_context);
            for (from_fields, from_head) in from_fields.into_iter().zip(whole.decoded) {
                match from_head {
                    Ok(decoded) => check_texts(&decoded),
                    Err(error) => check_error(error, &input[..whole.len]),
                }
                assert_eq!(
                    from_fields.map_err(|error| (error.kind(), error.field(), error.stage())),
                    from_head.map_err(|error| (error.kind(), error.field(), error.stage())),
                );
            }
        }
    }
}

/// Checks the texts about a message: nothing that a peer sent may break a line.
fn check_texts(decoded: &Decoded<Message<'_>>) {
    assert!(!format!("{:?}", decoded.message).contains(char::is_control));
    serialize::check_deviations(decoded.deviations);
    serialize::check_kind(decoded.message.kind());
    if let Message::Ack(ack) = decoded.message {
        assert_eq!(ack.failure().is_some(), ack.kind() == MessageKind::Refusal);
        if let Ack::Refused(refusal) = ack {
            serialize::check_refusal(&refusal);
        }
    }
}

/// Checks that the offset lies within the input, and that the refusal can be sent and parsed.
fn check_error(error: Error, input: &[u8]) {
    let in_input = error.offset().is_some_and(|at| at <= input.len());
    serialize::check_error(&error);
    assert!(in_input, "{error} in {} bytes: {}", input.len(), input.escape_ascii());
    let refusal = Refusal::for_error(&error, &ParseOptions::DEFAULT);
    assert!(refusal.status().get() >= 400, "{error}: {refusal:?}");
    let bytes = Message::from(Ack::from(refusal)).encode("/", &[]).expect("it can be sent");
    let mut slots = HeaderSlots::new();
    let head = response_head("a refusal", &bytes, &mut slots);
    let read = Ack::from_head(&head, &AckContext::Ping).map(|decoded| decoded.message);
    assert_eq!(read, Ok(Ack::from(refusal)), "{error}");
}
