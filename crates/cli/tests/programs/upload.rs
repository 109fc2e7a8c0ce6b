//! `bits upload`: successful uploads, and invalid command lines.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::bits_server::{Reaction, Server};
use crate::uploader::{Folder, Running, bits, upload, wait_until};

#[test]
fn the_entity_arrives_in_fragments_on_one_connection() {
    let (folder, server) = (Folder::new(300_000), Server::start(|_| Reaction::Correct));
    let ended = upload(&folder.file(), &server.url(), &[&"--fragment-size", &"100K"]);
    ended.expect(0, &["292.97 KiB to http://", "/s"]);
    assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
    assert_eq!(server.entity(), Some(folder.bytes.clone()));
    let expected = ["Create-Session", "Fragment", "Fragment", "Fragment", "Close-Session"];
    assert_eq!(server.kinds(), expected);
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
    assert_eq!(server.seen()[1].field("Content-Range"), Some("bytes 0-99999/300000"));
    assert_eq!(server.seen()[1].field("Host"), Some(&*server.address.to_string()));
    assert_eq!(server.sessions(), 0);
}

#[test]
fn an_empty_file_is_an_empty_entity() {
    let (folder, server) = (Folder::new(0), Server::start(|_| Reaction::Correct));
    upload(&folder.file(), &server.url(), &[]).expect(0, &["0 B to"]);
    assert_eq!(server.entity(), Some(Vec::new()));
    assert_eq!(server.kinds(), ["Create-Session", "Close-Session"]);
}

#[test]
fn quiet_prints_nothing() {
    let (folder, server) = (Folder::new(10), Server::start(|_| Reaction::Correct));
    assert_eq!(upload(&folder.file(), &server.url(), &[&"--quiet"]).output, "");
    assert_eq!(server.entity(), Some(folder.bytes));
}

/// Both ends of a terminal.
#[cfg(target_os = "linux")]
fn terminal() -> (File, File) {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let ours = openpt(flags).expect("a terminal");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("the other end is there");
    let theirs = ioctl_tiocgptpeer(&ours, flags).expect("the other end");
    (ours.into(), theirs.into())
}

/// Runs an upload on a terminal. Returns true if it succeeded, and what it drew.
#[cfg(target_os = "linux")]
fn drawn(folder: &Folder, url: &str, options: &[&str]) -> (bool, String) {
    let (mut ours, theirs) = terminal();
    let drawn = std::thread::spawn(move || {
        let mut drawn = Vec::new();
        // Fails when the other end is closed.
        let _ = ours.read_to_end(&mut drawn);
        String::from_utf8_lossy(&drawn).into_owned()
    });
    let states = tempfile::tempdir().expect("a folder");
    let mut command = bits("upload", states.path());
    command.arg(folder.file()).arg(url).args(options).env("TERM", "xterm");
    let status = command.stderr(theirs).status().expect("the program runs");
    drop(command);
    (status.success(), drawn.join().expect("what was drawn"))
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_gets_a_bar() {
    let (folder, server) = (Folder::new(300_000), Server::start(|_| Reaction::Correct));
    let (is_success, drawn) = drawn(&folder, &server.url(), &["--limit", "300K"]);
    assert!(is_success, "{drawn}");
    let bars = drawn.matches("of 292.97 KiB").count();
    assert!(bars >= 3, "{drawn}");
    assert!(drawn.contains("KiB/s, ") && drawn.contains(" left"), "{drawn}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_bar_shows_the_delay_of_a_retry_and_its_reason() {
    let options = ["--retries", "1", "--retry-delay", "2"];
    let (is_success, drawn) = drawn(&Folder::new(10), "http://127.0.0.1:9/x", &options);
    assert!(!is_success, "{drawn}");
    assert!(drawn.contains("0 B of 10 B, retrying in "), "{drawn}");
    assert!(drawn.contains(" s: tcp connect error: Connection refused"), "{drawn}");
}

#[test]
fn acks_in_chunks_are_read_and_the_connection_is_reused() {
    let (folder, server) = (Folder::new(200_000), Server::start(|_| Reaction::CorrectInChunks));
    upload(&folder.file(), &server.url(), &[&"--fragment-size", &"50K"]).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(server.kinds().len(), 6);
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

#[test]
fn interim_responses_are_skipped() {
    let (folder, server) = (
        Folder::new(100_000),
        Server::start(|_| {
            Reaction::CorrectAfter(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n".into(),
            )
        }),
    );
    upload(&folder.file(), &server.url(), &[&"--fragment-size", &"50K"]).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

#[test]
fn credentials_and_fields_go_with_every_request() {
    let (folder, server) = (Folder::new(10), Server::start(|_| Reaction::Correct));
    let more: [&dyn AsRef<std::ffi::OsStr>; 4] =
        [&"--basic", &"user:s3cret", &"--header", &"X-Job: 7"];
    upload(&folder.file(), &server.url(), &more).expect(0, &[]);
    assert_eq!(server.seen().len(), 3);
    for seen in server.seen() {
        assert_eq!(seen.field("Authorization"), Some("Basic dXNlcjpzM2NyZXQ="));
        assert_eq!(seen.field("X-Job"), Some("7"));
    }
}

#[test]
fn the_rate_limit_is_not_exceeded() {
    let (folder, server) = (Folder::new(1_500_000), Server::start(|_| Reaction::Correct));
    let ended = upload(&folder.file(), &server.url(), &[&"--limit", &"500K"]);
    ended.expect(0, &[]);
    let seconds = ended.took.as_secs_f64();
    assert!(seconds >= 2.7, "{seconds} s");
    assert_eq!(server.entity(), Some(folder.bytes));
}

#[test]
fn invalid_command_lines_are_rejected() {
    let folder = Folder::new(10);
    let (file, url) = (folder.file(), "http://127.0.0.1:9/x");
    let of_message = [&"--header" as &dyn AsRef<std::ffi::OsStr>, &"BITS-Packet-Type: Ping"];
    upload(&file, url, &of_message).expect(2, &["BITS-Packet-Type"]);
    upload(&file, url, &[&"--header", &"Content-Length: 1"]).expect(2, &["Content-Length"]);
    upload(&file, url, &[&"--header", &"Host: other"]).expect(2, &["Host"]);
    upload(&file, url, &[&"--header", &"no colon"]).expect(2, &["'NAME: VALUE'"]);
    upload(&file, url, &[&"--header", &"A: b\u{1}c"]).expect(2, &["header A: not a valid field"]);
    upload(&file, url, &[&"--basic", &"user"]).expect(2, &["USER:PASSWORD"]);
    upload(&file, url, &[&"--fragment-size", &"many"]).expect(2, &["--fragment-size"]);
    upload(&file, url, &[&"--limit", &"0"]).expect(2, &["greater than 0"]);
    upload(&file, url, &[&"--timeout", &"-1"]).expect(2, &[]);
    upload(&file, "ftp://host/", &[]).expect(2, &["neither http nor https"]);
    upload(&file, "/only/a/path", &[]).expect(2, &["no scheme\n"]);
    let ended = upload(&file, "http://me:s3cret@127.0.0.1:9/x", &[]);
    ended.expect(2, &["--basic"]);
    assert!(!ended.output.contains("s3cret"));
    upload(Path::new("-"), url, &[]).expect(2, &["standard input"]);
}

#[test]
fn only_regular_files_are_uploaded() {
    let folder = Folder::new(10);
    let url = "http://127.0.0.1:9/x";
    upload(folder.folder.path(), url, &[]).expect(1, &["a folder"]);
    upload(&folder.path("none"), url, &[]).expect(1, &["none: No such file"]);
    #[cfg(unix)]
    upload(Path::new("/dev/null"), url, &[]).expect(1, &["not a regular file"]);
}

/// Changes the file when the server receives the first fragment.
fn changed(change: impl Fn(&Path) + Send + 'static) {
    let folder = Folder::new(200_000);
    let file = folder.file();
    let server = Server::start(move |seen| {
        if seen.kind == "Fragment" && seen.earlier == 0 {
            change(&file);
        }
        Reaction::Correct
    });
    let ended = upload(&folder.file(), &server.url(), &[&"--fragment-size", &"50K"]);
    ended.expect(1, &["file changed during the upload"]);
    assert_eq!(server.entity(), None);
    assert_eq!(server.sessions(), 0, "the session is cancelled");
    assert_eq!(server.kinds().last().map(String::as_str), Some("Cancel-Session"));
}

#[test]
fn a_file_that_grows_is_an_error() {
    changed(|file| {
        let mut file = OpenOptions::new().append(true).open(file).expect("the file");
        file.write_all(b"more").expect("it grows");
    });
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    changed(|file| {
        let file = OpenOptions::new().write(true).open(file).expect("the file");
        file.set_len(60_000).expect("it shrinks");
    });
}

#[test]
fn a_file_that_is_overwritten_is_an_error() {
    changed(|file| {
        let length = fs::metadata(file).expect("the file").len() as usize;
        fs::write(file, vec![0; length]).expect("it is overwritten");
    });
}

/// Returns the peak memory of a process, in KiB.
#[cfg(target_os = "linux")]
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_bounded() {
    let folder = Folder::new(0);
    let length = 256 * 1024 * 1024;
    File::create(folder.path("large")).and_then(|file| file.set_len(length)).expect("a file");
    let server = Server::start(|_| Reaction::Correct);
    let more = [&"--fragment-size" as &dyn AsRef<std::ffi::OsStr>, &"13MiB"];
    let mut running = Running::start(&folder.path("large"), &server.url(), &more);
    let mut highest = 0;
    wait_until("the end of the upload", || {
        highest = peak(running.id()).unwrap_or(0).max(highest);
        !running.is_running()
    });
    running.end().expect(0, &["256.00 MiB"]);
    assert_eq!(server.entity().map(|entity| entity.len() as u64), Some(length));
    let fragments = server.kinds().iter().filter(|kind| *kind == "Fragment").count();
    assert_eq!(fragments, 20);
    assert!((1024..32 * 1024).contains(&highest), "{highest} KiB");
}
