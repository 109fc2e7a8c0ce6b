//! Checks that writing to the types of the `http` crate gives the same head.
#![cfg(feature = "http")]

use bits_proto::http1::HttpFields;
use bits_proto::message::Ack;
use bits_proto::server;

use super::read::{Message, Pair, stored};

/// Writes a message to `http` types and compares it with its encoded form `bytes`. Returns false if the `http`
/// crate cannot represent it.
pub fn check_http(message: &Message<'_>, target: &str, extras: &[Pair<'_>], bytes: &[u8]) -> bool {
    let Ok(uri) = target.parse::<http::Uri>() else { return false };
    if uri.path_and_query().is_none() {
        return false;
    }
    let mut storage = Vec::new();
    let extras = &stored(&mut storage, extras).expect("they were written");
    let headers = match message {
        Message::Request(it) => {
            let request = it.to_http(uri.clone(), extras).expect("it can be written");
            assert_eq!(request.method().as_str(), bits_proto::message::METHOD);
            assert_eq!(request.uri(), &uri);
            request.into_parts().0.headers
        }
        Message::Ack(it) => {
            let response = it.to_http(extras).expect("it can be written");
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

/// Returns the fields sorted by name. Fields of one name keep their order.
fn fields_of(headers: &http::HeaderMap) -> Fields {
    let fields = HttpFields::from(headers).into_iter();
    let mut fields: Fields =
        fields.map(|(name, value)| (name.to_string(), value.to_vec())).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// Returns the fields of a head that the crate has written.
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
