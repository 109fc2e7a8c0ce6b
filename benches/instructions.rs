//! Instruction counts of parsing and writing, relative to other code. They are the same in every run.
//!
//! ```sh
//! cargo bench -p bits-proto-benches --bench instructions
//! ```
//!
//! The program runs itself under valgrind's callgrind (Debian's package `valgrind`), which writes one file of
//! counts for each call of [`measured`].

mod cases;

use std::collections::VecDeque;
use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

use cases::{Pair, Report, Work, groups};

/// Set in the process that is measured.
const COUNTING: &str = "BITS_COUNTING_INSTRUCTIONS";

/// Number of executions while counting.
const TIMES: u32 = 16;

fn main() -> ExitCode {
    let mut groups = groups();
    if env::var_os(COUNTING).is_some() {
        measured(&mut (Box::new(|| ()) as Work));
        for Pair { ours, other, .. } in groups.iter_mut().flat_map(|group| &mut group.pairs) {
            for work in [ours, other] {
                // The first execution is not counted.
                work();
                measured(work);
            }
        }
        return ExitCode::SUCCESS;
    }
    let Some(mut counts) = count() else {
        println!("nothing was measured: valgrind is not installed (Debian's package `valgrind`)");
        return ExitCode::SUCCESS;
    };
    let nothing = counts.pop_front().expect("the count of the empty work");
    let mut next = || counts.pop_front().expect("two counts for each pair") - nothing;
    let mut report = Report::default();
    report.groups(&mut groups, |bars| bars.instructions, |_| next() / next());
    report.finish()
}

/// Callgrind counts the instructions in this function.
#[inline(never)]
fn measured(work: &mut Work) {
    for _ in 0..TIMES {
        work();
    }
}

/// Returns the instructions of each call of [`measured`], or `None` if valgrind is not installed.
fn count() -> Option<VecDeque<f64>> {
    Command::new("valgrind").arg("--version").output().ok()?;
    let folder = tempfile::tempdir().expect("a folder for the counts");
    // The path and the environment lie on the stack and shift it, and copying costs more or less by alignment.
    let program = folder.path().join("program");
    std::fs::copy(env::current_exe().expect("a path"), &program).expect("a copy of the program");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=instructions::measured"])
        .arg("--dump-after=instructions::measured")
        .arg(format!("--callgrind-out-file={}", folder.path().join("count").display()))
        .arg(&program)
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .env(COUNTING, "")
        .status()
        .expect("valgrind starts");
    assert!(status.success(), "valgrind failed: {status}");
    let file = |index: usize| folder.path().join(format!("count.{index}"));
    Some((1..).map(file).take_while(|file| file.exists()).map(|file| total(&file)).collect())
}

/// Returns the total in a file that callgrind wrote.
fn total(file: &Path) -> f64 {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let line = text.lines().find_map(|line| line.strip_prefix("summary: "));
    line.expect("a line with the total").trim().parse().expect("a number")
}
