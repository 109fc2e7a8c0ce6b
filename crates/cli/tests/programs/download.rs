//! `bits download`: whole entities and ranges.

use std::ffi::OsStr;
use std::fs;

use crate::bits_server::{Reaction, Seen, status};
use crate::download_server::*;
use crate::server;
use crate::uploader::download;

fn correct(entity: &Entity) -> impl Fn(&Seen) -> Reaction + Send + 'static {
    let entity = entity.clone();
    move |seen| Reaction::Respond(entity.respond(seen))
}

#[test]
fn a_whole_entity_is_downloaded() {
    let entity = Entity::new('a', DATE);
    let job = Job::new(correct(&entity));
    let ended = job.run(&[&"--basic", &"user:password", &"--header", &"X-Token: 7"]);
    ended.expect(0, &["downloaded 1000 B from http://"]);
    job.expect_complete(&entity.bytes);
    assert_eq!(job.server.kinds(), ["HEAD", "GET"]);
    for seen in job.server.seen() {
        assert_eq!(seen.field("Accept-Encoding"), Some("identity"));
        assert_eq!(seen.field("Authorization"), Some("Basic dXNlcjpwYXNzd29yZA=="));
        assert_eq!(seen.field("X-Token"), Some("7"));
        assert_eq!((seen.field("Range"), seen.connection), (None, 0));
    }
}

#[test]
fn an_existing_file_is_replaced_by_option_when_the_download_is_complete() {
    let entity = Entity::new('a', DATE);
    let job = Job::new(correct(&entity));
    fs::write(job.path("file"), "old").expect("a file");
    fs::write(job.path("file.part"), "of another download").expect("a file");
    let refused = job.run(&[&"--quiet"]);
    refused
        .expect(1, &["/file already exists. Choose another file, or replace it with --overwrite."]);
    assert_eq!(job.file().as_deref(), Some("old"));
    assert_eq!(job.server.seen().len(), 0);
    job.run(&[&"--quiet", &"--overwrite"]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
}

#[test]
fn an_empty_entity_is_downloaded() {
    let entity = Entity { bytes: String::new(), ..Entity::new('a', DATE) };
    let job = Job::new(correct(&entity));
    job.run(&[]).expect(0, &["downloaded 0 B"]);
    job.expect_complete("");
}

#[test]
fn several_ranges_are_stored_in_the_order_of_the_command_line() {
    let entity = "0123456789".repeat(10_000);
    let bytes = entity.clone();
    let server = server::Server::start_in(
        move |root| fs::write(root.join("entity"), bytes).expect("a file"),
        &[],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let url = format!("http://{}/entity", server.address);
    let ranges = ["70000-89999", "3-5", "0-1"];
    let more = ranges.map(|range| format!("--range={range}"));
    let ended = download(&url, &file, &[&more[0], &more[1], &more[2]]);
    ended.expect(0, &["downloaded 19.54 KiB"]);
    let expected = [&entity[70_000..90_000], "345", "01"].concat();
    assert!(fs::read_to_string(file).expect("the file") == expected);
}

#[test]
fn a_server_that_rejects_several_ranges_is_asked_for_each_one() {
    let entity = Entity::new('a', DATE);
    let rejects = {
        let entity = entity.clone();
        move |seen: &Seen| match range(seen) {
            Some(_) => Reaction::Respond(entity.respond(seen)),
            None => Reaction::Respond(status(416, &["Content-Range: bytes */1000"])),
        }
    };
    let job = Job::get(entity.clone(), rejects);
    job.run(&[&"--range", &"500-509", &"--range", &"20-29"]).expect(0, &[]);
    job.expect_complete(&[&entity.bytes[500..510], &entity.bytes[20..30]].concat());
    let ranges = job.fields("GET", "Range");
    let expected = ["bytes=500-509,20-29", "bytes=500-509", "bytes=20-29"];
    assert_eq!(ranges, expected.map(|it| Some(it.to_owned())));
}

#[test]
fn the_rate_limit_delays_the_download() {
    let entity = Entity::new('a', DATE);
    let single = entity.clone();
    let job = Job::get(entity, move |seen| match range(seen) {
        Some(_) => Reaction::Respond(single.respond(seen)),
        None => Reaction::Respond(status(416, &[])),
    });
    let ranges: [&dyn AsRef<OsStr>; 6] =
        [&"--range", &"0-499", &"--range", &"500-999", &"--limit", &"1000"];
    let ended = job.run(&ranges);
    ended.expect(0, &[]);
    assert!(ended.took.as_secs_f64() > 0.4, "{:?}", ended.took);
}

#[test]
fn a_redirect_on_the_same_server_is_followed() {
    let entity = Entity::new('a', DATE);
    let respond = correct(&entity);
    let job = Job::new(move |seen| match seen.head.contains(" /dir/entity ") {
        true => Reaction::Respond(status(302, &["Location: ../real?version=2"])),
        false => respond(seen),
    });
    job.run(&[&"--basic", &"user:password"]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
    assert_eq!(job.server.kinds(), ["HEAD", "HEAD", "GET", "GET"]);
    let seen = job.server.seen();
    assert!(seen[3].head.starts_with("GET /real?version=2 HTTP/1.1\r\n"), "{}", seen[3].head);
    assert!(seen.iter().all(|seen| seen.field("Authorization").is_some() && seen.connection == 0));
}

#[test]
fn an_entity_in_chunks_is_accepted_by_option() {
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let job = Job::new(move |seen| match &*seen.kind {
        "HEAD" => Reaction::Respond(status(405, &[])),
        _ => Reaction::Respond(format!("HTTP/1.1 200 OK\r\n{chunks}")),
    });
    let length = "server does not state the length of the entity. --dynamic accepts";
    job.run(&[]).expect(1, &[length]);
    job.expect_files(&[]);
    job.run(&[&"--dynamic"]).expect(0, &[]);
    job.expect_complete("hello world");
}

#[test]
fn a_whole_entity_in_place_of_a_range_is_accepted_by_option() {
    let entity = Entity::new('a', DATE);
    let whole = entity.beginning(1000);
    let job = Job::get(entity.clone(), move |_| Reaction::Respond(whole.clone()));
    let ranges = "does not support ranges. --skip-to-range receives";
    job.run(&[&"--range", &"500-599"]).expect(1, &[ranges]);
    job.expect_files(&[]);
    job.run(&[&"--range", &"500-599", &"--skip-to-range"]).expect(0, &[]);
    job.expect_complete(&entity.bytes[500..600]);
}
