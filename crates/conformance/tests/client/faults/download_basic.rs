//! Faults with ordinary servers.

use super::{adds, copies, fails, first, pieces, sends};
use crate::double::{Fault, Sent};

pub const FAULTS: &[(&str, Fault)] = &[
    copies!("download.file", |past| [pieces(past, 1), b"!".to_vec()].concat()),
    copies!("download.empty", |_past| b"!".to_vec()),
    copies!("download.one_byte", |_past| Vec::new()),
    copies!("download.many_reads", |past| first(past, 65_536)),
    adds!(
        "request.method",
        |past, sent| past.is("request.method") && past.exchanges.len() == 1
            => Sent { method: "OPTIONS".into(), ..sent.clone() }
    ),
    sends!("request.host", |past, sent| past.is("request.host") => sent.set("Host", "h.example")),
    sends!(
        "request.body",
        |past, sent| past.is("request.body") => {
            sent.set("Content-Length", "1");
            sent.body = vec![b'x'];
        }
    ),
    fails!("response.lower_case", |past| past.last().is_some_and(|it| it.has("etag"))),
    fails!("response.no_space", |past| past.last().is_some_and(|it| it.has("ETag:\""))),
    fails!("response.unknown_fields", |past| past.last().is_some_and(|it| it.has("X-Cache"))),
    fails!("response.interim", |past| past.last().is_some_and(|it| it.has_interim)),
    fails!("response.http_1_0", |past| past.last().is_some_and(|it| it.has("HTTP/1.0"))),
    fails!("response.no_validators", |past| past.last().is_some_and(|it| !it.has("ETag"))),
    fails!("response.connection_close", |past| past.last().is_some_and(|it| it.has("close"))),
    fails!("response.idle_closed", |past| past.exchanges.len() == 1),
];
