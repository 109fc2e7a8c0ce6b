//! Messages for the user: each one names the cause and the next step.

use std::fs;
use std::time::Duration;

use crate::bits_server::{Reaction, Server, status};
use crate::uploader::{Folder, Running, bits, download, upload, wait_until};

#[test]
fn a_url_without_a_scheme_has_a_suggestion() {
    let folder = Folder::new(10);
    let text = "no scheme; did you mean http://127.0.0.1:8097/x ?\n";
    upload(&folder.file(), "127.0.0.1:8097/x", &[]).expect(2, &[text]);
    download("127.0.0.1:8097/x", &folder.path("new"), &[]).expect(2, &[text]);
}

/// A pause during the upload prints one unit for both numbers.
#[test]
fn a_paused_upload_says_how_to_continue() {
    let folder = Folder::new(3 * 1024 * 1024);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 2) => Reaction::Stall,
        _ => Reaction::Correct,
    });
    let running = Running::start(&folder.file(), &server.url(), &[&"--fragment-size", &"1MiB"]);
    wait_until("the third fragment", || server.kinds().len() == 4);
    running.interrupt();
    let ended = running.end();
    ended.expect(130, &["Paused at 2.0 of 3.0 MiB. Run the same command to resume.\n"]);
    assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
}

#[test]
fn an_existing_destination_is_named_before_the_first_request() {
    let folder = Folder::new(10);
    let server = Server::start(|_| Reaction::Correct);
    download(&server.url(), &folder.file(), &[]).expect(
        1,
        &["/entity already exists. Choose another file, or replace it with --overwrite."],
    );
    upload(&folder.file(), &server.url(), &[&"--reply", &folder.file()])
        .expect(1, &["/entity already exists. Choose another file for --reply, or delete it."]);
    assert_eq!(server.seen().len(), 0);
    assert_eq!(fs::read(folder.file()).expect("the file"), folder.bytes);
}

#[test]
fn a_destination_that_exists_on_the_server_is_named() {
    let folder = Folder::new(10);
    let fields = ["BITS-Packet-Type: Ack", "BITS-Error-Code: 0x80070050"];
    let server = Server::start(move |_| Reaction::Respond(status(409, &fields)));
    let ended = upload(&folder.file(), &server.url(), &[&"--retries", &"0"]);
    let text = format!(
        "upload: {} already exists. An earlier run may have completed this upload: compare it with a \
         download. Otherwise choose another URL, or ask the operator of the server to allow files to be replaced.\n",
        server.url()
    );
    ended.expect(1, &[&text]);
}

/// The first run does not know that its last request succeeded. The second one finds out.
#[test]
fn a_rerun_after_a_lost_last_response_is_a_success() {
    let (folder, user) = (Folder::new(200_000), Folder::new(0));
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Close-Session", 0) => Reaction::LoseResponse,
        _ => Reaction::Correct,
    });
    let run = |retries| {
        let mut command = bits("upload", &user.path("state"));
        command.arg(folder.file()).arg(server.url()).args(["--retries", retries]);
        Running::spawn(command).end()
    };
    run("0").expect(1, &["gave up at 195.3 of 195.3 KiB: ", " Run the same command to resume.\n"]);
    assert_eq!(server.entity().as_ref(), Some(&folder.bytes));
    run("0").expect(0, &["upload: uploaded 195.31 KiB to "]);
    let created = server.kinds().iter().filter(|kind| *kind == "Create-Session").count();
    assert_eq!(created, 1, "the file is not sent again");
}

#[test]
fn a_denied_upload_names_what_to_check() {
    let folder = Folder::new(10);
    let fields = ["BITS-Packet-Type: Ack", "BITS-Error-Code: 0x80070005"];
    let server = Server::start(move |_| Reaction::Respond(status(403, &fields)));
    let text = "server denies access: status 403 Forbidden, error code 0x80070005 E_ACCESSDENIED. The \
                folder of the URL may not exist on the server, or a file there may not be replaced: check the \
                URL, or ask the operator of the server for access.\n";
    upload(&folder.file(), &server.url(), &[]).expect(1, &[text]);
}

#[test]
fn a_server_that_is_not_there_has_advice() {
    let folder = Folder::new(10);
    let text = "Connection refused (os error 111). Check that the server is running, and the host and the \
                port of the URL and of the proxy, if there is one.\n";
    let url = "http://127.0.0.1:9/x";
    upload(&folder.file(), url, &[&"--retries", &"0"]).expect(1, &[url, text]);
    download(url, &folder.path("new"), &[&"--retries", &"0"]).expect(1, &[url, text]);
}

#[test]
fn local_files_and_folders_are_named_before_the_first_request() {
    let folder = Folder::new(10);
    let server = Server::start(|_| Reaction::Correct);
    let missing = folder.path("missing");
    let text = format!(
        "upload: {}: No such file or directory (os error 2). Check the path.\n",
        missing.display()
    );
    upload(&missing, &server.url(), &[]).expect(1, &[&text]);
    upload(folder.folder.path(), &server.url(), &[])
        .expect(1, &[": is a folder. Name a file instead.\n"]);
    let text = format!("{}: folder does not exist. Check the path.\n", missing.display());
    download(&server.url(), &missing.join("new"), &[]).expect(1, &["download: ", &text]);
    upload(&folder.file(), &server.url(), &[&"--reply", &missing.join("new")]).expect(1, &[&text]);
    let states = folder.file().join("states");
    let text =
        format!("upload: state of the transfer: {}: folder cannot be created: ", states.display());
    upload(&folder.file(), &server.url(), &[&"--resume", &states])
        .expect(1, &[&text, ". Name another folder with --resume.\n"]);
    let text = format!("upload: --ca {}: ", folder.file().display());
    upload(&folder.file(), &server.url(), &[&"--ca", &folder.file()])
        .expect(2, &[&text, "CA certificate: no certificate in PEM format"]);
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn a_retry_names_the_time_and_the_reason() {
    let folder = Folder::new(10);
    let url = "http://127.0.0.1:9/x";
    let mut command = bits("upload", &folder.path("states"));
    command.arg(folder.file()).args([url, "--retries", "1", "--retry-delay", "1"]);
    let ended = Running::spawn(command).end();
    ended.expect(1, &["retrying in ", " s: tcp connect error: Connection refused"]);
    ended.expect(1, &["after 2 attempts: connection to the server failed: tcp connect error"]);
    assert!(!ended.output.contains("client error"), "{}", ended.output);
    assert!(ended.took >= Duration::from_millis(500), "{:?}", ended.took);
}

#[test]
fn a_server_that_cannot_start_names_the_option() {
    let folder = Folder::new(10);
    let serve = |options: &[&str]| {
        let mut command = bits("serve", &folder.path("states"));
        let key = command.arg("--storage").env("AWS_ACCESS_KEY_ID", "x");
        key.env("AWS_SECRET_ACCESS_KEY", "x").env("AWS_ENDPOINT", "http://127.0.0.1:9");
        command.args(options).current_dir(folder.folder.path());
        Running::spawn(command).end()
    };
    let text = "endpoint http://127.0.0.1:9 is not encrypted; set AWS_ALLOW_HTTP=true if that is intended\n";
    serve(&["s3://bucket/prefix"]).expect(2, &["serve: --storage s3://bucket/prefix: ", text]);
    fs::write(folder.path("serve.toml"), "fsnyc = true").expect("a file");
    let text = "serve.toml: \"fsnyc\" is not the name of an option\n";
    serve(&["memory:", "--config", "serve.toml"]).expect(2, &[text]);
    let text = "serve: --sessions redis://user:...@127.0.0.1:9: session store is unavailable: cannot \
                connect to Redis at 127.0.0.1:9: Connection refused";
    serve(&["uploads", "--sessions", "redis://user:secret@127.0.0.1:9"]).expect(1, &[text]);
}

/// Each line of a paragraph has as many words as fit.
#[test]
fn help_is_wrapped_at_the_width_of_the_terminal() {
    let commands =
        ["serve", "upload", "download", "inspect", "demo", "completions", "man", "--help"];
    for (command, width) in commands.into_iter().flat_map(|it| [60, 80, 120].map(|n| (it, n))) {
        let mut help = bits(command, "/nowhere".as_ref());
        let help =
            help.env("COLUMNS", width.to_string()).arg("--help").output().expect("a program");
        let help = String::from_utf8(help.stdout).expect("text");
        // A line of a long option and its value cannot be wrapped.
        let is_text = |line: &&str| !line.trim_start().starts_with("--");
        let limit = width.min(100);
        for line in help.lines().filter(is_text) {
            assert!(line.chars().count() <= limit, "{command}, {width}: {line}");
        }
        let is_paragraph =
            |line: &str| line.starts_with(|it: char| it.is_alphanumeric() || it == '`');
        let lines = help.lines().collect::<Vec<_>>();
        for pair in lines.windows(2).filter(|it| it.iter().all(|line| is_paragraph(line))) {
            let next = pair[1].split(' ').next().unwrap_or_default();
            let joined = format!("{} {next}", pair[0]).chars().count();
            assert!(joined > limit, "{command}, {width}: {pair:?}");
        }
    }
}

#[test]
fn completions_have_all_commands() {
    let command = bits("completions", "/nowhere".as_ref()).arg("bash").output().expect("a program");
    let script = String::from_utf8(command.stdout).expect("text");
    assert!(command.status.success());
    for name in ["upload", "download", "serve", "inspect", "--fragment-size", "--sessions"] {
        assert!(script.contains(name), "{name}");
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let status = bits("man", "/nowhere".as_ref()).arg(folder.path()).status().expect("a program");
    assert!(status.success());
    for name in ["bits", "bits-upload", "bits-download", "bits-serve", "bits-inspect"] {
        let page = fs::read_to_string(folder.path().join(format!("{name}.1"))).expect(name);
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{page}");
    }
    let page = fs::read_to_string(folder.path().join("bits-upload.1")).expect("a page");
    assert!(page.contains("Ctrl\\-C") || page.contains("Ctrl-C"), "{page}");
}
