//! `bits download` from real servers of files, and through real caches. A test is skipped if its server is
//! not installed, except in CI.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use bits_proto_test_tools::interop::{self, Area};
use tempfile::TempDir;

use crate::proxy::*;
use crate::proxy_client::{get, talk};
use crate::uploader::{Ended, Folder, Running, state, wait_until};

/// A server of the files in its folder. Caches may keep them for two seconds.
const NGINX_FILES: (&Software, &str) =
    (&NGINX, "server { listen @LISTEN@; root @FOLDER@; add_header Cache-Control max-age=2; }");
const APACHE_FILES: (&Software, &str) = (&APACHE, "DocumentRoot @FOLDER@\n");
const LIGHTTPD_FILES: (&Software, &str) = (
    &LIGHTTPD,
    "server.stat-cache-engine = \"disable\"
    mimetype.assign = ( \"\" => \"application/octet-stream\" )",
);

/// Without a media type, the responses have neither Last-Modified nor ETag.
const LIGHTTPD_WITHOUT_VERSIONS: (&Software, &str) =
    (&LIGHTTPD, "server.stat-cache-engine = \"disable\"");

const SQUID_CACHE: (&Software, &str) = (
    &SQUID,
    "http_port @LISTEN@ accel defaultsite=uploads.example\n\
     cache_peer @IP@ parent @SERVER_PORT@ 0 no-query no-digest originserver\n\
     http_access allow all\n\
     maximum_object_size_in_memory 8 MB\n",
);
const VARNISH_CACHE: (&Software, &str) = (
    &VARNISH,
    "vcl 4.1;
    backend default { .host = \"@IP@\"; .port = \"@SERVER_PORT@\"; }
    sub vcl_backend_response { set beresp.grace = 0s; }",
);

/// Time after which caches ask the server again.
const EXPIRY: Duration = Duration::from_millis(3100);

/// Length of the entity, which is sent in many pieces.
const LENGTH: usize = 3_000_000;

/// A running server of files, and perhaps a cache before it.
struct Site {
    files: Proxy,
    cache: Option<Proxy>,
    old: Vec<u8>,
    new: Vec<u8>,
    folder: TempDir,
}

impl Site {
    /// Starts the processes. Returns `None` if one is not installed, except in CI.
    fn start(files: (&Software, &str), cache: Option<(&Software, &str)>) -> Option<Self> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let files = Proxy::start(files.0, nowhere, files.1)?;
        let cache = match cache {
            Some((software, settings)) => Some(Proxy::start(software, files.address, settings)?),
            None => None,
        };
        let old = Folder::new(LENGTH).bytes;
        let new = old.iter().map(|byte| !byte).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let site = Self { files, cache, old, new, folder };
        site.publish(&site.old, 1_000_000_000);
        Some(site)
    }

    /// Replaces the entity. Both versions have the same length.
    fn publish(&self, bytes: &[u8], modified: u64) {
        let path = self.files.folder().join("entity.new");
        fs::write(&path, bytes).expect("a file");
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_modified(modified).expect("a file with a date");
        fs::rename(&path, self.files.folder().join("entity")).expect("a new entity");
    }

    fn change(&self) {
        self.publish(&self.new, 1_100_000_000);
    }

    fn url(&self) -> String {
        format!("http://{}/entity", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.cache.as_ref().unwrap_or(&self.files).address
    }

    fn start_download(&self, ranges: &[&str], limit: &str) -> Running {
        let arguments = ranges.iter().map(|range| format!("--range={range}")).collect::<Vec<_>>();
        let states = format!("--resume={}", self.states().display());
        let mut more = vec![format!("--limit={limit}"), "--retries=2".into(), states];
        more.extend(arguments);
        let more = more.iter().map(|it| it as &dyn AsRef<std::ffi::OsStr>).collect::<Vec<_>>();
        let file = self.folder.path().join("file");
        Running::start_download(&self.url(), &file, &more)
    }

    /// Returns the folder with the state of the download.
    fn states(&self) -> PathBuf {
        self.folder.path().join("states")
    }

    /// Returns the downloaded bytes, and deletes the file.
    fn take(&self) -> Option<Vec<u8>> {
        let file = self.folder.path().join("file");
        let bytes = fs::read(&file).ok()?;
        fs::remove_file(file).expect("a file");
        Some(bytes)
    }

    /// Downloads ranges, and asserts their bytes.
    #[track_caller]
    fn assert_downloads(&self, ranges: &[&str]) {
        let ended = self.start_download(ranges, "1G").end();
        ended.expect(0, &["downloaded"]);
        assert!(self.take().expect("the file") == select(&self.old, ranges), "{}", ended.output);
    }

    /// Changes the entity during a download. Returns the version that was downloaded.
    #[track_caller]
    fn change_during(&self, ranges: &[&str], interrupts: bool) -> &'static str {
        self.publish(&self.old, 1_000_000_000);
        if self.cache.is_some() {
            thread::sleep(EXPIRY);
            self.assert_downloads(&[]);
        }
        let running = self.start_download(ranges, "400K");
        wait_until("bytes in the state", || {
            let state = state(&self.states()).to_string();
            state.contains("\"next\":") && !state.contains("\"next\":0,")
        });
        if interrupts {
            running.interrupt();
            running.end().expect(130, &["Paused at"]);
            self.change();
            if self.cache.is_some() {
                thread::sleep(EXPIRY);
            }
            return self.version(&self.start_download(ranges, "1G").end(), ranges);
        }
        self.change();
        self.version(&running.end(), ranges)
    }

    #[track_caller]
    fn version(&self, ended: &Ended, ranges: &[&str]) -> &'static str {
        ended.expect(0, &["downloaded"]);
        let bytes = self.take().expect("the file");
        if bytes == select(&self.old, ranges) {
            return "old";
        }
        assert!(bytes == select(&self.new, ranges), "a mixture: {}", ended.output);
        let restarted = ended.output.contains("starting over");
        assert!(restarted, "{}", ended.output);
        "new"
    }

    /// Returns the status of a response, and if it has several parts. A cache has the entity.
    fn response(&self, fields: &str) -> String {
        talk(self.address(), &get("/entity", ""), b"");
        let response = talk(self.address(), &get("/entity", fields), b"");
        let content_type = response.field("Content-Type").unwrap_or_default();
        match content_type.starts_with("multipart/byteranges") {
            true => format!("{} multipart", response.status()),
            false => response.status().to_owned(),
        }
    }
}

/// Returns the bytes of ranges; all bytes if there are none.
fn select(entity: &[u8], ranges: &[&str]) -> Vec<u8> {
    if ranges.is_empty() {
        return entity.to_owned();
    }
    let ranges = ranges.iter().map(|range| {
        let (first, last) = range.split_once('-').expect("a range");
        &entity[first.parse().expect("a number")..=last.parse().expect("a number")]
    });
    ranges.collect::<Vec<_>>().concat()
}

/// Out of order, adjacent, distant and long ranges.
const RANGES: [&str; 5] = ["5000-5099", "100-199", "200-299", "2999999-2999999", "300000-2299999"];

const NAMES: [&str; 5] =
    ["three ranges", "twelve ranges", "outside", "failed condition", "after a change"];

/// Downloads in every way. `expected` are the responses of the server to several ranges, to a range
/// outside the entity, and to a condition that fails, and the version that is downloaded if the entity
/// changes between two processes.
#[track_caller]
fn assert_site(files: (&Software, &str), cache: Option<(&Software, &str)>, expected: [&str; 5]) {
    let Some(site) = Site::start(files, cache) else { return };
    // Before a cache has the entity.
    site.assert_downloads(&["5000-5099"]);
    site.assert_downloads(&[]);
    site.assert_downloads(&["1000000-1999999"]);
    site.assert_downloads(&RANGES);
    let many = (0..300).map(|number| format!("{0}-{0}", number * 9_973)).collect::<Vec<_>>();
    site.assert_downloads(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let outside = site.start_download(&["2999000-3000000"], "1G").end();
    outside.expect(1, &["requested range lies outside the entity. Check --range"]);
    assert_eq!(site.take(), None);

    let twelve = many[..12].join(",");
    let condition = "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=0-9\r\n";
    let measured = [
        site.response("Range: bytes=5000-5099,100-199,200-299\r\n"),
        site.response(&format!("Range: bytes={twelve}\r\n")),
        site.response("Range: bytes=3000000-3000001\r\n"),
        site.response(condition),
        site.change_during(&[], true).to_owned(),
    ];
    site.change_during(&RANGES, true);
    site.change_during(&[], false);
    site.change_during(&RANGES, false);
    let row = NAMES.iter().zip(&measured).map(|(name, cell)| format!("{name}: {cell}"));
    let row = row.collect::<Vec<_>>().join(", ");
    assert_eq!(measured, expected, "{row}");
    record(files.0, cache.map(|it| it.0), &format!("every file is identical; {row}"));
}

/// Records the downloads from a server or a cache.
#[track_caller]
fn record(files: &Software, cache: Option<&Software>, result: &str) {
    let action = "bits download of 3,000,000 bytes: whole, in 1, 5 and 300 ranges, with an entity that changes";
    let action = match cache {
        Some(_) => format!("{action}, from {}", files.name),
        None => action.to_owned(),
    };
    let commands = cache.into_iter().chain([files]).map(Software::command_line);
    let commands = commands.collect::<Vec<_>>();
    let commands = commands.iter().map(String::as_str).collect::<Vec<_>>();
    let name = cache.unwrap_or(files).name;
    interop::record(Area::Downloads, name, &action, &commands, result);
}

#[test]
fn downloads_from_nginx() {
    let expected = ["206 multipart", "206 multipart", "416", "412", "new"];
    assert_site(NGINX_FILES, None, expected);
}

#[test]
fn downloads_from_apache() {
    let expected = ["206 multipart", "206 multipart", "416", "412", "new"];
    assert_site(APACHE_FILES, None, expected);
}

#[test]
fn downloads_from_lighttpd() {
    let expected = ["206 multipart", "206 multipart", "416", "206", "new"];
    assert_site(LIGHTTPD_FILES, None, expected);
}

#[test]
fn downloads_from_a_server_without_versions() {
    let Some(site) = Site::start(LIGHTTPD_WITHOUT_VERSIONS, None) else { return };
    site.assert_downloads(&[]);
    site.assert_downloads(&["1000000-1999999"]);
    assert_eq!(site.change_during(&[], true), "new");
    // The server merges ranges, and each of several requests may get another version.
    let advice = "--allow-missing-validator continues if the length is equal";
    let ended = site.start_download(&RANGES, "1G").end();
    ended.expect(1, &["neither Last-Modified nor a strong ETag", advice]);
    assert_eq!(site.take(), None);
    let action = "bits download from a server without Last-Modified and ETag";
    let result = "whole and in 1 range: file is identical; in 5 ranges: refused without --allow-missing-validator";
    let commands = [&*LIGHTTPD.command_line(), &ended.command];
    interop::record(Area::Downloads, LIGHTTPD.name, action, &commands, result);
}

#[test]
fn downloads_through_squid() {
    // Squid ignores ranges out of order.
    let expected = ["200", "206 multipart", "200", "206", "new"];
    assert_site(NGINX_FILES, Some(SQUID_CACHE), expected);
}

#[test]
fn downloads_through_varnish() {
    let expected = ["416", "416", "416", "206", "new"];
    assert_site(NGINX_FILES, Some(VARNISH_CACHE), expected);
}
