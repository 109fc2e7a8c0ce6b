//! Faults of notifications and replies.

use http::{Method, StatusCode};
use hyper::body::Bytes;

use super::answers;
use crate::application::Delivery;
use crate::double::{Fault, Reply, set};
use crate::seen::has;

/// Changes the notification of an entity of this length.
macro_rules! notifies {
    ($id:literal, $length:literal, |$request:ident| $change:expr) => {
        (
            $id,
            Fault::Notifies(|$request| match $request.body().len() {
                $length => $change,
                _ => Delivery::Once,
            }),
        )
    };
}

/// Changes the responses to fragments of an entity of this length.
macro_rules! changes {
    ($id:literal, $total:literal, |$seen:ident, $response:ident| $change:expr) => {
        (
            $id,
            Fault::Changes(|$seen, $response| {
                if $seen.is("fragment") && $seen.of($total) {
                    $change;
                }
            }),
        )
    };
}

/// Changes the responses to downloads of replies.
macro_rules! replies {
    ($id:literal, |$response:ident| $change:expr) => {
        (
            $id,
            Fault::Changes(|seen, $response| {
                let is_entity = seen.parts.uri.path().ends_with(".bin");
                if seen.parts.method == Method::GET && !is_entity {
                    $change;
                }
            }),
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    notifies!("notify.sent", 81, |_request| Delivery::Never),
    notifies!("notify.valid", 82, |request| {
        *request.method_mut() = Method::PUT;
        Delivery::Once
    }),
    notifies!("notify.original_url", 83, |request| {
        let url = request.headers_mut().get_mut("BITS-Original-Request-URL").expect("a URL");
        let path =
            url.to_str().expect("a URL").rsplit_once('/').map(|(_, name)| format!("/{name}"));
        *url = path.expect("a path").parse().expect("a value");
        Delivery::Once
    }),
    notifies!("notify.content", 84, |request| {
        *request.body_mut() = Bytes::from_static(b"another entity");
        Delivery::Once
    }),
    ("notify.not_early", Fault::NotifiesEarly(|seen| seen.is_fragment(0, 85))),
    notifies!("notify.once", 86, |_request| Delivery::Twice),
    ("notify.cancelled", Fault::NotifiesEarly(|seen| seen.is("cancel-session") && seen.of(87))),
    ("notify.incomplete", Fault::NotifiesEarly(|seen| seen.is("close-session") && seen.of(88))),
    changes!("notify.failure", 89, |seen, response| *response = seen.ack_of(89)),
    changes!("notify.failure.context", 90, |_seen, response| {
        set(response, "BITS-Error-Context", "0x5");
    }),
    answers!(
        "notify.failure.again",
        |seen| seen.is_fragment(0, 91) && seen.past.len() > 1,
        Some(Reply::Response(seen.ack_of(91)))
    ),
    changes!("notify.lost", 92, |seen, response| *response = seen.ack_of(92)),
    changes!("notify.reply", 93, |_seen, response| set(response, "BITS-Reply-URL", "")),
    replies!("notify.reply.content", |response| {
        if response.status() == StatusCode::OK {
            set(response, "Content-Length", "");
            *response.body_mut() = Bytes::from_static(b"another reply");
        }
    }),
    changes!("notify.reply.again", 95, |seen, response| {
        if has(seen.past, "fragment") {
            set(response, "BITS-Reply-URL", "");
        }
    }),
    replies!("notify.reply.removed", |response| *response.status_mut() = StatusCode::OK),
    changes!("notify.static_url", 97, |_seen, response| {
        set(response, "BITS-Reply-URL", "http://127.0.0.1/another");
    }),
];
