//! `bits download`: failures, and the advice for the user.

use std::time::{Duration, SystemTime};

use bits_proto::field::HttpDate;

use crate::bits_server::{Reaction, Seen, Server, status};
use crate::download_server::*;
use crate::uploader::{Ended, Running};

/// Runs a download whose GET is answered in this way, without retries.
fn run(get: impl FnMut(&Seen) -> Reaction + Send + 'static) -> (Job, Ended) {
    let job = Job::get(Entity::new('a', DATE), get);
    let ended = job.run(&[&"--retries", &"0", &"--timeout", &"0.3"]);
    assert_eq!(job.file(), None);
    (job, ended)
}

#[track_caller]
fn assert_stops(response: &str, texts: &[&str]) {
    let response = response.to_owned();
    let (job, ended) = run(move |_| Reaction::Respond(response.clone()));
    ended.expect(1, texts);
    assert!(ended.output.contains(&format!("download: {}: ", job.server.url())));
    job.expect_files(&[]);
}

#[test]
fn rejections_are_explained() {
    let not_found = ["URL does not exist on the server: status 404 Not Found. Check the URL"];
    assert_stops(&status(404, &[]), &not_found);
    assert_stops(
        &status(403, &[]),
        &["server denies access: status 403 Forbidden. Ask the operator"],
    );
    assert_stops(
        &status(500, &[]),
        &["status 500 Internal Server Error. Try again later: the server has an internal problem"],
    );
    assert_stops(&status(304, &[]), &["contradict the requests", "status 304"]);
}

#[test]
fn credentials_are_asked_for() {
    let challenge = status(401, &["WWW-Authenticate: Basic realm=\"a\""]);
    assert_stops(
        &challenge,
        &["requires credentials of the scheme Basic", "Pass them with --basic USER:PASSWORD"],
    );
    assert_stops(
        &status(407, &[]),
        &["proxy requires credentials", "--proxy http://USER:PASSWORD@HOST:PORT"],
    );
    let job = Job::new(move |_| Reaction::Respond(challenge.clone()));
    job.run(&[&"--basic", &"a:b"])
        .expect(1, &["server rejects the Basic credentials", "Check the user and the password"]);
}

#[test]
fn coded_bytes_are_never_stored() {
    let entity = Entity::new('a', DATE);
    let coded = entity.beginning(1000).replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n");
    assert_stops(&coded, &["content coding other than identity. The server or a proxy ignores"]);
}

#[test]
fn an_entity_until_the_connection_ends_is_not_complete() {
    let respond = |_: &Seen| Reaction::RespondAndClose("HTTP/1.1 200 OK\r\n\r\nhello".into());
    let job = Job::new(respond);
    job.run(&[&"--dynamic", &"--retries", &"0"]).expect(1, &["does not state the length"]);
    job.expect_files(&[]);
}

#[test]
fn a_range_outside_the_entity_is_reported() {
    let entity = Entity::new('a', DATE);
    let job = Job::get(entity, |_| Reaction::Respond(status(416, &[])));
    let outside = "requested range lies outside the entity. Check --range";
    job.run(&[&"--range", &"990-1000"]).expect(1, &[outside]);
    assert_eq!(job.server.kinds(), ["HEAD"]);
    // Without HEAD, the response to GET has the length.
    let unsatisfied = status(416, &["Content-Range: bytes */1000"]);
    let job = Job::new(move |seen| match &*seen.kind {
        "HEAD" => Reaction::Respond(status(405, &[])),
        _ => Reaction::Respond(unsatisfied.clone()),
    });
    let outside = ["requested range lies outside the entity: status 416", "Check --range"];
    job.run(&[&"--range", &"1000-1005"]).expect(1, &outside);
    job.expect_files(&[]);
}

#[test]
fn a_busy_server_is_asked_again_after_the_requested_delay() {
    let entity = Entity::new('a', DATE);
    let busy = |retry_after: String| {
        let entity = entity.clone();
        let job = Job::new(move |seen| match seen.earlier {
            0 if seen.kind == "GET" => {
                Reaction::Respond(status(429, &[&format!("Retry-After: {retry_after}")]))
            }
            _ => Reaction::Respond(entity.respond(seen)),
        });
        (job.run(&[]), job)
    };
    let (ended, job) = busy("1".into());
    ended.expect(0, &["status 429", "retrying in 1.0 s"]);
    assert!(ended.took >= Duration::from_secs(1), "{:?}", ended.took);
    job.expect_complete(&entity.bytes);
    let later = SystemTime::now() + Duration::from_secs(3);
    let date = http_date(later);
    let (ended, job) = busy(date);
    ended.expect(0, &["status 429"]);
    assert!(SystemTime::now() >= later - Duration::from_secs(1), "{}", ended.output);
    job.expect_complete(&entity.bytes);
}

/// Returns a date in the format of HTTP.
fn http_date(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970");
    let date = HttpDate::from_unix_seconds(since.as_secs() as i64).expect("a date");
    date.to_string()
}

#[test]
fn a_redirect_to_another_server_is_followed_without_credentials() {
    let entity = Entity::new('a', DATE);
    let respond = entity.clone();
    let other = Server::start(move |seen| Reaction::Respond(respond.respond(seen)));
    let location = format!("Location: {}", other.url());
    let job = Job::new(move |_| Reaction::Respond(status(302, &[&location])));
    let ended = job.run(&[&"--basic", &"user:s3cret", &"--header", &"X-Token: 7"]);
    ended.expect(0, &["downloaded 1000 B"]);
    job.expect_complete(&entity.bytes);
    assert_eq!(other.kinds(), ["HEAD", "GET"]);
    for seen in other.seen() {
        assert_eq!((seen.field("Authorization"), seen.field("X-Token")), (None, None));
    }
    assert!(job.server.seen().iter().all(|seen| seen.field("Authorization").is_some()));
}

#[test]
fn redirects_are_limited() {
    let (job, ended) = run(|_| Reaction::Respond(status(302, &["Location: entity"])));
    ended.expect(1, &["/dir/entity\", which is not followed: too many redirects"]);
    let gets = ["GET"; 11];
    assert_eq!(job.server.kinds()[1..], gets, "after HEAD: the first request and ten redirects");
}

#[test]
fn failures_of_connections_are_explained() {
    let (_, ended) = run(|_| Reaction::Stall);
    ended.expect(1, &["request timed out", "no response in time. Allow more time with --timeout"]);
    let entity = Entity::new('a', DATE);
    let half = entity.beginning(500);
    let (job, ended) = run(move |_| Reaction::RespondAndStall(half.clone()));
    ended.expect(1, &["no data in time"]);
    job.expect_files(&["file.part"]);
    let (_, ended) = run(|_| Reaction::RespondAndClose("HTTP/1.1 200".into()));
    ended.expect(1, &["connection to the server failed"]);
    let (_, ended) = run(|_| Reaction::RespondAndClose("SSH-2.0-server\r\n".into()));
    ended.expect(1, &["contradict the requests"]);
}

#[test]
fn usage_errors_are_reported_before_the_first_request() {
    let job = Job::new(|_| Reaction::Respond(status(404, &[])));
    job.run(&[&"--range", &"9-5"]).expect(2, &["9-5"]);
    job.run(&[&"--range", &"5-"]).expect(2, &["5-"]);
    job.run(&[&"--header", &"Range: bytes=0-1"]).expect(2, &["Range"]);
    job.run(&[&"--header", &"Accept-Encoding: gzip"]).expect(2, &["Accept-Encoding"]);
    let ended = Running::start_download("ftp://a/b", &job.path("file"), &[]).end();
    ended.expect(2, &["the scheme is neither http nor https"]);
    let ended = Running::start_download(&job.server.url(), &job.path("."), &[]).end();
    ended.expect(1, &["is a folder"]);
    assert_eq!(job.server.seen().len(), 0);
    job.expect_files(&[]);
}
