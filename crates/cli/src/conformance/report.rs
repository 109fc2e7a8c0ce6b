//! Options and reports that all examinations have in common.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use bits_conformance::{Case, CaseReport, Report};
use clap::Args;

use super::output;
use crate::error::Failure;

/// Selection of cases, and the form of the report.
#[derive(Args)]
pub struct ReportArguments {
    /// Number of cases that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub jobs: usize,

    /// Runs only cases with this id; `*` matches any characters, and an area matches its cases. May be repeated.
    #[arg(long, value_name = "PATTERN", help_heading = "Cases")]
    pub only: Vec<String>,
    /// Lists the cases and runs none.
    #[arg(long, help_heading = "Cases")]
    pub list: bool,
    /// Ends after the first failure.
    #[arg(long, help_heading = "Cases")]
    pub bail: bool,

    /// Prints the report as JSON.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Writes a report for CI systems to this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,
    /// Prints the bytes that were sent and received in failed cases.
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    evidence: bool,
}

impl ReportArguments {
    /// Prints the cases.
    ///
    /// # Errors
    ///
    /// The list cannot be written.
    pub fn list(&self, cases: impl Iterator<Item = Case>) -> Result<(), Failure> {
        print(&output::list(cases, self.json))
    }

    /// Runs an examination, which reports each case to the callback.
    ///
    /// # Errors
    ///
    /// The runtime cannot be started.
    pub fn examine<T>(
        &self,
        run: impl AsyncFnOnce(&mut dyn FnMut(&CaseReport)) -> T,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let is_shown = !self.json && io::stderr().is_terminal();
        let mut show = |case: &CaseReport| {
            if is_shown {
                eprintln!("{}", output::line(case));
            }
        };
        Ok(runtime.map_err(Failure::failed)?.block_on(run(&mut show)))
    }

    /// Prints the report.
    ///
    /// # Errors
    ///
    /// The number of failed cases, or a report that cannot be written.
    pub fn finish(&self, report: &Report) -> Result<(), Failure> {
        if let Some(path) = &self.junit {
            let text = report.to_junit().map_err(Failure::failed)?;
            std::fs::write(path, text)
                .map_err(|error| Failure::failed(format!("--junit {}: {error}", path.display())))?;
        }
        print(&match self.json {
            true => report.to_json(),
            false => output::report(report, self.evidence),
        })?;
        match report.failures().count() {
            0 => Ok(()),
            1 => Err(Failure::failed("1 case failed")),
            count => Err(Failure::failed(format!("{count} cases failed"))),
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(Failure::failed)
}
