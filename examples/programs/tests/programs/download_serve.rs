//! `download` and `serve`: several ranges.

use std::fs;

use crate::server;
use crate::uploader::download;

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
