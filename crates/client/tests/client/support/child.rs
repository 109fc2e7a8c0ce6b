//! Tests that run a part of themselves in a child process.

use std::process::{Child, Command, Stdio};

/// The variable with the argument of a child.
const VARIABLE: &str = "BITS_CLIENT_TEST_CHILD";

/// Returns the argument of the child process; `None` in the parent.
pub fn argument() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// Prepares the test with this name as a child process.
pub fn command(test: &str, argument: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, argument);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the child, and returns its output. Panics if it failed.
pub async fn output(child: Child) -> String {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}
