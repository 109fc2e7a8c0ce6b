//! Request targets that lead out of the folder for uploads.

use crate::Level::{Robustness, Security};
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::root;
use crate::server::test::Test;

/// A request target behind the path of the folder. `NAME` is the name of the entity.
macro_rules! escape {
    ($id:literal, $target:literal, $advice:literal) => {
        Entry::new($id, Security, &["R3.2.5.2.3-4"], $advice, |test| {
            Box::pin(escape(test, $target))
        })
    };
}

pub(super) const CASES: &[Entry] = &[
    escape!(
        "path.dots",
        "../NAME",
        "Resolve or refuse `..` in request targets: clients send them as they are."
    ),
    escape!(
        "path.dots_inside",
        "NAME/../../../NAME",
        "Resolve or refuse `..` inside of request targets."
    ),
    escape!("path.encoded_dots", "%2e%2e/NAME", "Decode the path once, and then look for `..`."),
    escape!(
        "path.encoded_slash",
        "..%2fNAME",
        "Refuse `/` that is encoded as %2f: it separates folders after decoding."
    ),
    escape!(
        "path.encoded",
        "%2e%2e%2f%2e%2e%2fNAME",
        "Refuse parent folders that are encoded completely."
    ),
    escape!(
        "path.encoded_twice",
        "%252e%252e%252fNAME",
        "Decode the path once only: `%252e` is no dot."
    ),
    escape!("path.backslash", "..\\NAME", "Refuse backslashes, which separate folders on Windows."),
    escape!("path.encoded_backslash", "..%5cNAME", "Refuse encoded backslashes."),
    escape!(
        "path.overlong",
        "%c0%ae%c0%ae/NAME",
        "Refuse overlong UTF-8, which old decoders read as dots."
    ),
    escape!(
        "path.absolute",
        "%2ftmp%2fNAME",
        "Refuse an absolute path: joined to a folder, it replaces the folder."
    ),
    Entry::new(
        "path.nul",
        Security,
        &["R3.2.5.2.3-4"],
        "Refuse NUL in a path: functions of C end there.",
        |test| Box::pin(nul(test)),
    ),
    Entry::new(
        "path.line_end",
        Security,
        &["R3.2.5.2.1-1"],
        "Do not copy a decoded path into a response: its line ends would begin another field.",
        |test| Box::pin(line_end(test)),
    ),
    Entry::new(
        "path.long_name",
        Robustness,
        &["R3.2.5.2.3-4"],
        "Answer a name of 300 bytes, which most file systems refuse.",
        |test| Box::pin(long_name(test)),
    ),
    Entry::new(
        "path.encoded_name",
        Robustness,
        &["RFC9110-4.2.3"],
        "Decode request targets: `%2d` is another spelling of `-`.",
        |test| Box::pin(encoded_name(test)),
    ),
];

/// Uploads to a request target, if the server creates a session for it.
async fn upload(test: &mut Test, target: &str) -> Outcome {
    let create = test.create(target);
    let mut connection = test.connect().await?;
    connection.send(&create).await?;
    let Some(answer) = connection.answer_or_end().await? else { return Ok(()) };
    if answer.is_success() {
        let mut session = test.opened(connection, &answer, target, 15)?;
        // Every step may be refused.
        if session.fragment(0..15).await?.is_success() {
            session.close().await?;
        }
        return Ok(());
    }
    answer.refused()
}

async fn escape(test: &mut Test, target: &str) -> Outcome {
    let Some(root) = test.shared.root.clone() else {
        return Err(Stop::Skip("needs --root".into()));
    };
    let path = test.new_path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let folder = test.shared.target.path().to_owned();
    upload(test, &format!("{folder}{}", target.replace("NAME", name))).await?;
    match root::find_outside(&root, name) {
        None => Ok(()),
        Some(file) => {
            // The file is ours, wherever it is.
            let _ = std::fs::remove_file(&file);
            Err(Stop::Fail(format!("expected nothing outside the root; {} exists", file.display())))
        }
    }
}

async fn nul(test: &mut Test) -> Outcome {
    let path = test.new_path();
    upload(test, &format!("{path}%00.txt")).await?;
    test.is_absent(&path).await
}

async fn line_end(test: &mut Test) -> Outcome {
    let path = test.new_path();
    let create = test.create(&format!("{path}%0d%0aX-Injected:%20yes"));
    let answer = test.exchange(&create).await?;
    match answer.field("X-Injected") {
        None => Ok(()),
        Some(_) => answer.fail("no field X-Injected"),
    }
}

async fn long_name(test: &mut Test) -> Outcome {
    let path = test.new_path();
    let create = test.create(&format!("{path}{}", "n".repeat(300)));
    let answer = test.exchange(&create).await?;
    if answer.is_success() { Ok(()) } else { answer.refused() }
}

async fn encoded_name(test: &mut Test) -> Outcome {
    let path = test.new_path();
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let encoded = format!("{folder}/{}", name.replace('-', "%2d"));
    let mut session = test.session_at(encoded, 32).await?;
    session.finish().await?;
    test.has_content(&path, session.content).await
}
