//! Every way out of an encoder comes to the same head.

use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::message::Encoder;

use super::read::Extras;
use super::serialize::check_error;

const UNSET: u8 = 0xA5;

/// An encoder whose head is `bytes`: it takes as much room as it asks for, and no more.
pub fn check_outputs(encoder: &Encoder<'_, Extras<'_>>, bytes: &[u8]) {
    let needed = bytes.len();
    assert_eq!(encoder.encoded_len(), needed);
    // With little room the head is counted before, with much it is not.
    for room in [0, 3, 500] {
        let mut longer = vec![UNSET; needed + room];
        assert_eq!(encoder.write(&mut longer), Ok(needed));
        assert_eq!(longer[..needed], *bytes, "unset bytes show");
        let behind = &longer[needed..];
        assert!(behind.iter().all(|byte| *byte == UNSET), "what lies behind is not touched");
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
        encoder.write_to(&mut stream).expect("a vector takes everything");
        assert_eq!(stream, [b"before", bytes].concat(), "write_to");
    }
}

/// There was no room for the head, and what there was is as it was.
fn check_too_small(result: Result<usize, Error>, needed: usize, room: &[u8]) {
    let error = result.expect_err("a buffer one byte too short");
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed });
    assert!(room.iter().all(|byte| *byte == UNSET), "something was written");
    check_error(&error);
}

/// The way out to an HTTP stack has the fields that the head has, in their order.
fn check_fields_one_by_one(encoder: &Encoder<'_, Extras<'_>>, bytes: &[u8]) {
    let start = bytes.windows(2).position(|end| end == b"\r\n").expect("a start line");
    let mut head = bytes[..start + 2].to_vec();
    encoder.for_each_field(|name, value| {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    });
    head.extend(b"\r\n");
    assert_eq!(head.escape_ascii().to_string(), bytes.escape_ascii().to_string());
}

#[cfg(feature = "bytes")]
fn check_buf_mut(encoder: &Encoder<'_, Extras<'_>>, bytes: &[u8]) {
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
