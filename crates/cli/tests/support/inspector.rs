//! Runs `bits inspect`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Returns the command `bits inspect`.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bits"));
    command.arg("inspect");
    command
}

/// Returns the folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the program in a folder, by default below `tests/`.
pub fn inspect(folder: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command()
        .args(arguments)
        .current_dir(repository().join("tests").join(folder))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The program may exit without reading its input.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the program ends")
}

/// Returns the page of an input, which standard output receives.
pub fn page(input: &[u8]) -> String {
    let output = inspect("vectors", &["--html", "-", "-"], input);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", errors(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the text on standard error.
pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Removes the parts of a report that only captures have.
pub fn without_packets(report: &Value) -> Value {
    let mut report = report.clone();
    let object = report.as_object_mut().expect("an object");
    for key in ["file", "index", "connection", "time", "missing"] {
        object.remove(key);
    }
    report
}

/// Returns the string under a key.
pub fn text<'r>(report: &'r Value, key: &str) -> &'r str {
    report[key].as_str().unwrap_or_else(|| panic!("no {key} in {report}"))
}
