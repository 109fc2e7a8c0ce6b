//! The cases, one file for each area.

mod challenges;
mod digest;
mod download_basic;
mod download_body;
mod download_change;
mod download_coding;
mod download_credentials;
mod download_failure;
mod download_kill;
mod download_redirect;
mod download_resume;
mod proxy_credentials;
mod upload_ack;
mod upload_ack_values;
mod upload_basic;
mod upload_close;
mod upload_connection;
mod upload_credentials;
mod upload_file;
mod upload_host;
mod upload_kill;
mod upload_message;
mod upload_proxy;
mod upload_refusal;
mod upload_reply;
mod upload_resync;
mod upload_retry;
mod upload_session;

use std::time::{Duration, UNIX_EPOCH};

use bits_proto::field::HttpDate;

use super::Transfer;
use super::download::Download;
use super::entry::{Entry, Outcome, fail};
use super::message::{Origin, PAGE, Reply, Request};

const UPLOADS: &[&[Entry]] = &[
    upload_basic::CASES,
    upload_ack::CASES,
    upload_ack_values::CASES,
    upload_connection::CASES,
    upload_retry::CASES,
    upload_refusal::CASES,
    upload_resync::CASES,
    upload_session::CASES,
    upload_close::CASES,
    challenges::UPLOADS,
    upload_credentials::CASES,
    digest::ANONYMOUS_UPLOADS,
    digest::UPLOADS,
    upload_host::CASES,
    proxy_credentials::UPLOADS,
    upload_proxy::CASES,
    upload_reply::CASES,
    upload_file::CASES,
    upload_kill::CASES,
    upload_message::CASES,
];

const DOWNLOADS: &[&[Entry]] = &[
    download_basic::CASES,
    download_body::CASES,
    download_resume::CASES,
    download_change::CASES,
    download_coding::CASES,
    download_redirect::CASES,
    challenges::DOWNLOADS,
    download_credentials::CASES,
    digest::ANONYMOUS_DOWNLOADS,
    digest::DOWNLOADS,
    proxy_credentials::DOWNLOADS,
    download_failure::CASES,
    download_kill::CASES,
];

/// Returns every case of a direction, grouped by area.
pub(super) fn all(transfer: Transfer) -> impl Iterator<Item = &'static Entry> {
    let areas = match transfer {
        Transfer::Upload => UPLOADS,
        Transfer::Download => DOWNLOADS,
    };
    areas.iter().flat_map(|area| area.iter())
}

/// A script of an upload that gives one packet, which is counted by its type from 1, another response.
macro_rules! once {
    ($expect:ident, $length:literal, $packet:ident $number:literal, |$server:ident, $request:ident| $reply:expr) => {
        crate::client::upload::Scenario::new(
            crate::client::scenario::Expect::$expect,
            $length,
            |server: &mut crate::client::upload::Upload, request| {
                let packet = bits_proto::field::PacketType::$packet;
                if server.is_nth(request, packet, $number) {
                    let ($server, $request) = (server, request);
                    return $reply;
                }
                server.ordinary(request)
            },
        )
    };
}
/// A script of an upload that gives all packets of a type another response.
macro_rules! always {
    ($expect:ident, $length:literal, $packet:ident, |$server:ident, $request:ident| $reply:expr) => {
        crate::client::upload::Scenario::new(
            crate::client::scenario::Expect::$expect,
            $length,
            |server: &mut crate::client::upload::Upload, request| {
                if request.is(bits_proto::field::PacketType::$packet) {
                    let ($server, $request) = (server, request);
                    return $reply;
                }
                server.ordinary(request)
            },
        )
    };
}
/// A script of a download that changes the response to one GET, which is counted from 1.
macro_rules! nth_get {
    ($expect:ident, $number:literal, |$server:ident, $reply:ident| $changed:expr) => {
        crate::client::download::Scenario::new(
            crate::client::scenario::Expect::$expect,
            20_000,
            |server: &mut crate::client::download::Download, request| {
                let $reply = server.ordinary(request);
                if server.is_nth_get(request, $number) {
                    let $server = server;
                    return $changed;
                }
                $reply
            },
        )
    };
}
/// A script of a download that changes the responses to all requests with GET.
macro_rules! each_get {
    ($expect:ident, |$server:ident, $request:ident, $reply:ident| $changed:expr) => {
        crate::client::download::Scenario::new(
            crate::client::scenario::Expect::$expect,
            20_000,
            |server: &mut crate::client::download::Download, request| {
                let $reply = server.ordinary(request);
                if request.method != "GET" {
                    return $reply;
                }
                let ($server, $request) = (server, request);
                $changed
            },
        )
    };
}
/// A script of a download that cuts the first response, and gives all requests for the rest another response.
macro_rules! resumed {
    (|$server:ident, $range:ident| $reply:expr) => {
        crate::client::download::Scenario::new(
            crate::client::scenario::Expect::NoWrongCopy,
            20_000,
            |server: &mut crate::client::download::Download, request| {
                if server.is_resumed(request) {
                    let $range = request.field("Range").unwrap_or_default();
                    let $server = server;
                    return $reply;
                }
                let reply = server.ordinary(request);
                server.cut_first(request, reply)
            },
        )
    };
}
use {always, each_get, nth_get, once, resumed};

/// The clocks of client and suite may differ by the resolution of timers.
const SECOND: Duration = Duration::from_millis(990);

/// Returns a date in this number of seconds.
fn in_seconds(seconds: i64) -> String {
    let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let at = i64::try_from(now).unwrap_or_default() + seconds;
    HttpDate::from_unix_seconds(at).map(|date| date.to_string()).unwrap_or_default()
}

/// Requires that the pause after a failure is as long as Retry-After.
fn waits(pause: Option<Duration>, time: Duration) -> Outcome {
    match pause {
        Some(pause) if pause < time => fail(format!(
            "client retries after {:.1} s; Retry-After is {:.1} s",
            pause.as_secs_f32(),
            time.as_secs_f32()
        )),
        _ => Ok(()),
    }
}

/// Requires that a client that has failed did not store the page of the failure.
fn stores_no_page(server: &Download) -> Outcome {
    match std::fs::read_to_string(&server.setup.file) {
        Ok(text) if text.contains(PAGE) => {
            fail("client stores the page of the failure as the file")
        }
        _ => Ok(()),
    }
}

/// The maximum number of requests of a client that the server refuses.
const MAX_TRIES: usize = 4;

/// The requirement of uploads to answer challenges.
const UPLOAD_CHALLENGE: &str = "R3.1.5.2.1-1";
/// The requirement of downloads to answer challenges.
const DOWNLOAD_CHALLENGE: &str = "R3.6.5.3-2";

/// Requires that the client sends few requests that the server refuses.
fn sends_at_most(count: usize, limit: usize) -> Outcome {
    match count {
        count if count <= limit => Ok(()),
        count => fail(format!(
            "client sends {count} requests that the server refuses; expected at most {limit}"
        )),
    }
}

/// Requires that the client sends few requests, which are all refused, and stores no page.
fn gives_up_soon(server: &Download) -> Outcome {
    sends_at_most(server.requests.len(), MAX_TRIES)?;
    stores_no_page(server)
}

/// Requests credentials.
fn challenge() -> Reply {
    Reply::page(401).field("WWW-Authenticate", "Basic realm=\"conformance\"")
}

/// Requires that no request to another server has credentials.
fn keeps_credentials(requests: &[Request]) -> Outcome {
    let is_leak = |it: &&Request| it.origin == Origin::Other && it.has_credentials();
    match requests.iter().find(is_leak) {
        None => Ok(()),
        Some(request) => {
            fail(format!("client sends credentials to another server, with {}", request.method))
        }
    }
}
