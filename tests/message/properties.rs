//! Properties of every message that can be built, and of every input.

use crate::support;
use bits_proto::error::ErrorKind;
use bits_proto::field::FieldName;
use bits_proto::http1::{RequestLine, StatusLine};
use bits_proto::message::{Ack, AckContext, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use support::built::{check_line_ends, check_read_back, count_line_ends, read_back};
use support::cases::config;
use support::inputs::{OwnedExtras, dirty, extras, mutations, valid_extras};
use support::invariants::check_input;
use support::outputs::check_outputs;
use support::read::{Message, ack_context, stored, written};
use support::specs::AckSpec;
use support::strategies::{ack, error_fields, message, target};
use support::vectors;

/// Checks a stream that fails at this byte: it contains the start of the head.
#[cfg(feature = "std")]
fn check_failing_stream(encoder: &bits_proto::message::Encoder<'_>, at: usize) {
    let bytes = written(encoder);
    let mut room = vec![0; at];
    let left = {
        let mut stream = room.as_mut_slice();
        encoder.write_to(&mut stream).expect_err("the stream is too short");
        stream.len()
    };
    assert_eq!(room[..at - left], bytes[..at - left]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_output_takes_the_same_bytes_and_no_more_room_than_it_asked_for(
        spec in message(),
        target in target(),
        extras in extras(),
        error_fields in error_fields(),
    ) {
        let message = spec.view();
        let extras = valid_extras(message.kind(), &extras);
        let mut storage = Vec::new();
        let extras = stored(&mut storage, &extras).unwrap();
        let encoder = message.encoder(&target, &extras).unwrap().with_error_fields(error_fields);
        check_outputs(&encoder, &written(&encoder));
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_stream_that_fails_has_taken_the_start_of_the_head(spec in message(), at in any::<Index>()) {
        let message = spec.view();
        let mut storage = Vec::new();
        let extras = stored(&mut storage, &[]).unwrap();
        let encoder = message.encoder("/", &extras).unwrap();
        check_failing_stream(&encoder, at.index(encoder.encoded_len()));
    }

    #[test]
    fn what_was_written_is_read_back(
        spec in message(),
        target in target(),
        extras in extras(),
        error_fields in error_fields(),
    ) {
        check_read_back(&spec, &target, &extras, error_fields);
    }

    #[test]
    fn values_come_back_in_their_own_spelling(spec in message()) {
        let bytes = spec.view().encode("/", &[]).unwrap();
        let found = read_back(&spec, &bytes);
        // Equality of session ids ignores their spelling; the text of a message does not.
        let (found, built) = (found.decoded.message, spec.view());
        prop_assert_eq!(format!("{found:?}"), format!("{built:?}"));
    }

    #[test]
    fn no_extra_escapes_its_field(
        spec in message(),
        name in dirty(12),
        value in vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(0)], 0..12),
    ) {
        let message = spec.view();
        let extras = [("X-Before", &b"1"[..]), (&name, &value)];
        let Ok(bytes) = message.encode("/", &extras) else { return Ok(()) };
        let found = read_back(&spec, &bytes);
        let own = message.encode("/", &[]).unwrap();
        check_line_ends(&bytes, found.fields.len());
        prop_assert_eq!(count_line_ends(&bytes), count_line_ends(&own) + 2);
        prop_assert!(found.fields.contains(&(name.as_str(), &value)));
        prop_assert_eq!(found.decoded.message, message);
    }
}

/// A value that can be written contains no byte that ends a field.
#[test]
fn an_extra_with_any_control_character_is_refused() {
    let ack = Message::from(Ack::Ping(bits_proto::message::PingAck));
    for byte in (0..=0x1F).chain([0x7F]) {
        let value = [b'a', byte, b'b'];
        let error = ack.encode("/", &[("X-Extra", &value)]).err().map(|error| error.kind());
        let expected = (byte != b'\t').then_some(ErrorKind::ExtraValue);
        assert_eq!(error, expected, "byte {byte:#04X} in a value");
        let name = format!("X{}Y", char::from(byte));
        let error = ack.encode("/", &[(&name, b"a")]).err().map(|error| error.kind());
        assert_eq!(error, Some(ErrorKind::ExtraName), "byte {byte:#04X} in a name");
    }
}

fn check_as_everything(input: &[u8], ack_context: &AckContext<'_>, cut: Index) {
    let cut = cut.index(input.len() + 1);
    check_input::<RequestLine<'_>>(input, ack_context, [cut]);
    check_input::<StatusLine<'_>>(input, ack_context, [cut]);
}

/// Returns the context for an Ack, from a request of any kind.
fn any_ack_for(spec: &AckSpec) -> AckContext<'_> {
    AckContext::from(&spec.request.view())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_damaged_vector_never_panics_and_reads_the_same_when_cut(
        vector in any::<Index>(),
        mutations in mutations(),
        ack in ack(),
        cut in any::<Index>(),
    ) {
        thread_local!(static VECTORS: Vec<vectors::Message> = vectors::all());
        VECTORS.with(|all| {
            let vector = vector.get(all);
            let mut bytes = vector.bytes.clone();
            mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
            check_as_everything(&bytes, &ack_context(&vector.ack_context), cut);
            check_as_everything(&bytes, &any_ack_for(&ack), cut);
        });
    }

    #[test]
    fn a_damaged_message_never_panics_and_reads_the_same_when_cut(
        spec in message(),
        extras in extras(),
        mutations in mutations(),
        cut in any::<Index>(),
    ) {
        let message = spec.view();
        let extras = valid_extras(message.kind(), &extras);
        let mut bytes = message.encode("/", &extras).unwrap();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        check_as_everything(&bytes, &spec.ack_context(), cut);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_read_the_same_when_cut(
        start in prop_oneof![Just(""), Just("HTTP/1.1 200 OK\r\n"), Just("BITS_POST / HTTP/1.1\r\n")],
        rest in vec(any::<u8>(), 0..200),
        cut in any::<Index>(),
    ) {
        let bytes = [start.as_bytes(), &rest].concat();
        check_as_everything(&bytes, &AckContext::Ping, cut);
    }

    #[test]
    fn arbitrary_lines_never_panic_and_read_the_same_when_cut(
        lines in vec((select_name(), dirty(30)), 0..12),
        is_response in any::<bool>(),
        ack in ack(),
        cut in any::<Index>(),
    ) {
        let start = if is_response { "HTTP/1.1 416 x" } else { "BITS_POST / HTTP/1.1" };
        let fields: String =
            lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let bytes = format!("{start}\r\n{fields}\r\n");
        check_as_everything(bytes.as_bytes(), &any_ack_for(&ack), cut);
    }
}

fn select_name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(FieldName::ALL).prop_map(FieldName::as_str)
}

/// The strategies generate every kind of message.
#[test]
fn the_strategies_choose_every_kind_of_message() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(config());
    let choose = |_| message().new_tree(&mut runner).expect("a message").current().view().kind();
    let chosen: Vec<_> = (0..1000).map(choose).collect();
    for kind in bits_proto::message::MessageKind::ALL {
        assert!(chosen.contains(kind), "{kind}");
    }
}

/// Most generated extra fields are valid.
#[test]
fn extras_of_the_message_itself_are_refused_and_others_are_not() {
    let ping = Message::from(Request::Ping(bits_proto::message::Ping::default()));
    for field in FieldName::ALL {
        let extras: OwnedExtras = vec![(field.as_str().into(), b"1".to_vec())];
        let is_valid = !valid_extras(ping.kind(), &extras).is_empty();
        let error = ping.encode("/", &[(field.as_str(), b"1")]).err();
        let expected = (!is_valid).then_some((ErrorKind::ReservedExtra, Some(field.as_str())));
        assert_eq!(error.map(|error| (error.kind(), error.field())), expected, "{field}");
    }
}
