//! Checks that all outputs of an encoder write the same head.

use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::message::Encoder;

use super::serialize::check_error;

const UNSET: u8 = 0xA5;

/// Checks an encoder whose head is `bytes`: it needs exactly the space that it states.
pub fn check_outputs(encoder: &Encoder<'_>, bytes: &[u8]) {
    let needed = bytes.len();
    assert_eq!(encoder.encoded_len(), needed);
    // With little space the head is measured first, with more it is not.
    for room in [0, 3, 500] {
        let mut longer = vec![UNSET; needed + room];
        assert_eq!(encoder.write(&mut longer), Ok(needed));
        assert_eq!(longer[..needed], *bytes, "all bytes are written");
        let after = &longer[needed..];
        assert!(after.iter().all(|byte| *byte == UNSET), "the rest of the buffer is unchanged");
    }
    let mut shorter = vec![UNSET; needed - 1];
    let result = encoder.write(&mut shorter);
    check_too_small(result, needed, &shorter);
    check_fields_one_by_one(encoder, bytes);
    #[cfg(feature = "alloc")]
    assert_eq!(encoder.to_vec(), bytes, "to_vec");
    #[cfg(feature = "bytes")]
    check_buf_mut(encoder, bytes);
    #[cfg(feature = "std")]
    {
        let mut stream = b"before".to_vec();
        encoder.write_to(&mut stream).expect("writing to a vector succeeds");
        assert_eq!(stream, [b"before", bytes].concat(), "write_to");
    }
}

/// Checks that the buffer was too small and is unchanged.
fn check_too_small(result: Result<usize, Error>, needed: usize, room: &[u8]) {
    let error = result.expect_err("a buffer one byte too short");
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed });
    assert!(room.iter().all(|byte| *byte == UNSET), "something was written");
    check_error(&error);
}

/// Checks that the fields for an HTTP stack are those of the head, in the same order.
fn check_fields_one_by_one(encoder: &Encoder<'_>, bytes: &[u8]) {
    let start = bytes.windows(2).position(|end| end == b"\r\n").expect("a start line");
    let mut head = bytes[..start + 2].to_vec();
    encoder.for_each_field(|name, value| {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    });
    head.extend(b"\r\n");
    assert_eq!(head.escape_ascii().to_string(), bytes.escape_ascii().to_string());
}

#[cfg(feature = "bytes")]
fn check_buf_mut(encoder: &Encoder<'_>, bytes: &[u8]) {
    let mut buffer = bytes::BytesMut::from(&b"before"[..]);
    assert_eq!(encoder.put(&mut buffer), Ok(bytes.len()));
    assert_eq!(buffer, [b"before", bytes].concat(), "put");

    let mut room = vec![UNSET; bytes.len()];
    assert_eq!(encoder.put(&mut &mut room[..]), Ok(bytes.len()));
    assert_eq!(room, bytes, "put into just enough room");

    let mut room = vec![UNSET; bytes.len() - 1];
    let result = encoder.put(&mut &mut room[..]);
    check_too_small(result, bytes.len(), &room);
}
