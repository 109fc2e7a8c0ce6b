//! The page for browsers, as text: escaping, limits, and the file that it is written to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::dialogues::{fragment, fragment_ack, ping};
use crate::support::inspector::{self, errors, inspect, page};

/// Writes the page of the built-in conversation to a file.
fn write_to(path: &Path) -> Output {
    inspect("vectors", &["--html", path.to_str().expect("UTF-8"), "upload.http"], b"")
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = page(&[fragment(0, 20, 20), b"x".repeat(20), fragment_ack(20)].concat());
    assert!(page.starts_with("<!DOCTYPE html>"), "{page:.100}");
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline';"));
    for forbidden in
        ["<script", "<img", "<iframe", "@import", "url(", "src=", "http://", "https://"]
    {
        let rest = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!rest.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn text_from_the_capture_is_escaped() {
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202E}gnp\u{061C}";
    let request = format!(
        "BITS_POST /{0} HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Name: {0}\r\n\
         BITS-Session-Id: {0}\r\nContent-Length: 0\r\n\r\n",
        hostile.replace(' ', "%20"),
    );
    let response = format!(
        "HTTP/1.1 200 {hostile}\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {hostile}\r\n\r\n"
    );
    let garbage = b"\xFF\xFE<b>\x00\x1B[31m";
    let page = page(&[request.as_bytes(), response.as_bytes(), garbage].concat());
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for raw in [
        "<script",
        "<img",
        "<b>\\",
        "\u{202E}",
        "\u{061C}",
        "\u{0}",
        "\u{1B}",
        "onerror=alert(2)>\"",
    ] {
        assert!(!page.contains(raw), "{raw:?}");
    }
}

#[test]
fn the_name_of_a_file_is_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "<script>alert(1)<\u{2215}script>\u{202E}&quot;.http";
    let file = folder.path().join(name);
    std::fs::write(&file, ping()).expect("a file");
    let output = inspect("vectors", &["--html", "-", file.to_str().expect("UTF-8")], b"");
    let page = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;\u{2215}script&gt;\u{FFFD}&amp;quot;.http"));
    assert!(!page.contains("<script") && !page.contains('\u{202E}'));
}

#[test]
fn credentials_are_left_out() {
    let request = "BITS_POST /e HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\nCookie: c2VjcmV0\r\n\
                   Proxy-Authorization: Basic c2VjcmV0\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
    let page = page(request.as_bytes());
    assert!(page.contains("BITS_POST /e") && !page.contains("c2VjcmV0"));
}

#[test]
fn several_inputs_share_a_page_and_its_limits() {
    let inputs = ["upload.http", "missing.http", "upload-reply.http"];
    let output = inspect("vectors", &[&["--html", "-"], &inputs[..]].concat(), b"");
    let page = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(page.contains("<h2>Summary of 3 files</h2><dl class=\"summary\">"));
    for (index, input) in inputs.iter().enumerate() {
        assert!(page.contains(&format!(
            "<section class=\"file\" id=\"f{index}\"><h2><bdi>{input}</bdi></h2>"
        )));
    }
    assert!(page.contains("role=\"alert\">No such file or directory"));
    assert!(page.contains("id=\"f0-m3\"") && page.contains("id=\"f2-m3\""));
}

#[test]
fn text_and_json_are_printed_beside_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    let file = path.to_str().expect("UTF-8");
    for arguments in [&["upload.http"][..], &["--json", "upload.http"], &["--wide", "upload.http"]]
    {
        let with_page = inspect("vectors", &[&["--html", file], arguments].concat(), b"");
        assert_eq!(with_page.stdout, inspect("vectors", arguments, b"").stdout);
        assert_eq!(with_page.status.code(), Some(0), "{}", errors(&with_page));
    }
    assert!(std::fs::read_to_string(path).expect("a page").ends_with("</html>"));
}

#[test]
fn the_page_is_written_although_standard_output_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    let mut command = inspector::command();
    command.arg("--html").arg(&path).args(["upload.http", "upload-reply.http"]);
    command.current_dir(inspector::repository().join("tests/vectors"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = command.stdout(writer).stderr(Stdio::null()).status().expect("a status");
    assert_eq!(status.code(), Some(0));
    assert!(std::fs::read_to_string(path).expect("a page").contains("id=\"f1-m0\""));
}

#[test]
fn a_page_replaces_a_file_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, link) = (folder.path().join("file.html"), folder.path().join("link.html"));
    std::fs::write(&file, "old").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    let mut old = std::fs::File::open(&file).expect("a file");
    assert_eq!(write_to(&link).status.code(), Some(0));
    assert_eq!(std::io::read_to_string(&mut old).expect("text"), "old", "a reader of the old file");
    assert!(std::fs::read_to_string(&file).expect("a page").ends_with("</html>"));
    assert!(link.is_symlink());
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o640);
    let names = std::fs::read_dir(&folder).expect("a folder").count();
    assert_eq!(names, 2, "no temporary file is left");
}

#[test]
fn a_new_page_has_the_permissions_of_a_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let [page, other] = ["page.html", "other"].map(|name| folder.path().join(name));
    assert_eq!(write_to(&page).status.code(), Some(0));
    std::fs::write(&other, "").expect("a file");
    let [page, other] = [page, other].map(|it| it.metadata().expect("a file").permissions());
    assert_eq!(page, other);
}

#[test]
fn the_current_folder_is_not_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    let input = inspector::repository().join("tests/vectors/upload.http");
    let input = input.canonicalize().expect("an input");
    let mut command = inspector::command();
    command.arg("--html").arg(&path).arg(input).current_dir("/proc").stdout(Stdio::null());
    assert_eq!(command.status().expect("a status").code(), Some(0));
    assert!(path.exists());
}

#[test]
fn an_error_names_the_file_and_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("link.html");
    std::os::unix::fs::symlink(&link, &link).expect("a link to itself");
    for (path, reason) in [
        (folder.path().to_path_buf(), "Is a directory"),
        (folder.path().join("missing/page.html"), "No such file or directory"),
        (link, "Too many levels of symbolic links"),
        (Path::new("/dev/full").to_path_buf(), "No space left on device"),
    ] {
        let output = write_to(&path);
        assert_eq!(output.status.code(), Some(2));
        let expected = format!("inspect: {}: cannot write the page: {reason}", path.display());
        assert!(errors(&output).starts_with(&expected), "{}", errors(&output));
        assert!(!output.stdout.is_empty(), "text is printed anyway");
    }
}

#[test]
fn an_input_is_never_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("upload.http");
    std::fs::write(&input, ping()).expect("a file");
    let input = input.to_str().expect("UTF-8");
    for arguments in [&["--html", input, input][..], &["--html", input]] {
        let output = inspect("vectors", arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(std::fs::read(input).expect("a file"), ping());
    }
    let output = inspect("vectors", &["--html", "-", "--json", input], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("cannot be used with another format"), "{}", errors(&output));
}
