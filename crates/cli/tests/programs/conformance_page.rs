//! `docs/CONFORMANCE-CASES.md` shows the report of a server with typical mistakes. After a change:
//!
//! ```sh
//! BITS_BLESS=1 cargo test -p bits-cli --test programs page
//! ```

use std::path::Path;
use std::process::Command;

use bits_proto_test_tools::markdown;

use crate::conformance::examine;
use crate::installed;
use crate::node::Node;

#[test]
fn the_page_shows_the_report_of_a_server_with_typical_mistakes() {
    let Some(python) = installed::find("python3") else { return };
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(python);
    command.arg(package.join("tests/servers/typical.py")).arg(folder.path());
    let server = Node::start(command);
    let options =
        ["--only", "upload.empty", "--only", "fragment.overlap.last", "--only", "body.never*"];
    let output = examine(&server.url(), &options);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = String::from_utf8(output.stdout).expect("text");
    // The last lines differ in each run.
    let (report, _) = report.split_once("bytes sent").expect("the number of bytes");
    let (report, _) = report.trim_end().rsplit_once('\n').expect("several lines");
    let command = format!("$ bits conformance server URL {}", options.join(" "));
    let mut count = 0;
    markdown::assert_current(&package.join("../../docs/CONFORMANCE-CASES.md"), |part| {
        if part != "report" {
            return None;
        }
        count += 1;
        Some(format!("```text\n{command}\n{report}\n```\n"))
    });
    assert_eq!(count, 1);
}
