//! Every way out of an encoder comes to the same head.
#![cfg(all(feature = "bytes", feature = "http"))]

use bits_proto::error::ErrorKind;
use bits_proto::head::HttpFields;
use bits_proto::message::{Ack, Encoder};
use bits_proto::server;

use super::read::{Extras, Message, Pair};
use super::told::check_error;

pub fn check_outputs(encoder: &Encoder<'_, Extras<'_>>, bytes: &[u8]) {
    assert_eq!(encoder.encoded_len(), bytes.len());
    assert_eq!(encoder.to_vec(), bytes);
    let mut stream = Vec::new();
    encoder.write_to(&mut stream).expect("a vector takes it all");
    assert_eq!(stream, bytes);

    let mut buffer = bytes::BytesMut::new();
    assert_eq!(encoder.put(&mut buffer), Ok(bytes.len()));
    assert_eq!(buffer, bytes);
    let mut room = vec![0xFF; bytes.len() - 1];
    let too_small = ErrorKind::BufferTooSmall { needed: bytes.len() };
    for error in [encoder.put(&mut &mut room[..]), encoder.write(&mut room)].map(Result::err) {
        let error = error.expect("there is no room");
        assert_eq!(error.kind(), too_small);
        check_error(&error);
    }
    assert!(room.iter().all(|byte| *byte == 0xFF), "something was written");

    let end = bytes.windows(2).position(|it| it == b"\r\n").expect("a start line");
    let mut lines = bytes[..end + 2].to_vec();
    encoder.for_each_field(|name, value| {
        lines.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    });
    lines.extend(b"\r\n");
    assert_eq!(lines, bytes, "{}", bytes.escape_ascii());
}

/// A message that was written as `bytes`, in the types of the `http` crate. Whether that crate can
/// hold it.
pub fn check_http(message: &Message<'_>, target: &str, extras: &[Pair<'_>], bytes: &[u8]) -> bool {
    let Ok(uri) = target.parse::<http::Uri>() else { return false };
    if uri.path_and_query().is_none() {
        return false;
    }
    let extras = extras.iter().copied();
    let headers = match message {
        Message::Request(it) => {
            let request = it.to_http(uri.clone(), extras).expect("it can be written");
            assert_eq!(request.method().as_str(), bits_proto::message::METHOD);
            assert_eq!(request.uri(), &uri);
            request.into_parts().0.headers
        }
        Message::Ack(it) => {
            let response = it.to_http(extras.clone()).expect("it can be written");
            assert_eq!(response.status().as_u16(), it.status().get());
            let by_policy = server::Policy::default().to_http(it, extras).expect("a response");
            assert_eq!(by_policy.headers(), response.headers());
            let alone = http::Response::try_from(*it).expect("a response");
            assert!(alone.headers().keys().all(|name| response.headers().contains_key(name)));
            if let Ack::Refused(refusal) = it {
                let of_refusal = http::Response::try_from(*refusal).expect("a response");
                assert_eq!(of_refusal.headers(), alone.headers());
            }
            response.into_parts().0.headers
        }
        Message::NotificationRequest(it) => {
            let request = it.to_http(uri.clone(), extras).expect("it can be written");
            assert_eq!((request.method(), request.uri()), (&http::Method::POST, &uri));
            request.into_parts().0.headers
        }
        Message::NotificationResponse(it) => {
            let response = it.to_http(extras).expect("it can be written");
            assert_eq!(response.status().as_u16(), it.status.get());
            let alone = http::Response::try_from(*it).expect("a response");
            assert!(alone.headers().keys().all(|name| response.headers().contains_key(name)));
            response.into_parts().0.headers
        }
    };
    assert_eq!(fields_of(&headers), lines_of(bytes), "{}", bytes.escape_ascii());
    true
}

type Fields = Vec<(String, Vec<u8>)>;

/// By name; those of one name stay in their order.
fn fields_of(headers: &http::HeaderMap) -> Fields {
    let fields = HttpFields::from(headers).into_iter();
    let mut fields: Fields =
        fields.map(|(name, value)| (name.to_string(), value.to_vec())).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// The fields of a head that was written, whose lines have one shape.
fn lines_of(head: &[u8]) -> Fields {
    let text: Vec<_> = head.split_inclusive(|byte| *byte == b'\n').skip(1).collect();
    let field = |line: &&[u8]| {
        let line = line.strip_suffix(b"\r\n").expect("a whole line");
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8(line[..colon].to_ascii_lowercase()).expect("a name");
        Some((name, line[colon + 2..].to_vec()))
    };
    let mut fields: Fields = text.iter().filter_map(field).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}
