//! Prints the reports in one of several formats. All formats print the same reports.

pub mod clock;
mod details;
pub mod ecs;
pub mod html;
mod remarks;
pub mod schema;
pub mod shorten;
pub mod stdout;
mod summary;
mod text;
mod values;
pub mod zeek;

use std::io::{self, Write};

use serde_json::json;

use crate::inspect::report::Report;
use crate::inspect::summary::Summary;
use text::Layout;

/// An output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line per message, sentences below it, and a summary.
    #[default]
    Text,
    /// One JSON object per message.
    Json,
    /// One JSON object per message with the fields of the Elastic Common Schema.
    Ecs,
    /// A log of Zeek: tab-separated values, one line per message.
    Zeek,
}

/// Options of the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub format: Format,
    /// Maximum number of columns of text, unless it is not shortened.
    pub width: Option<usize>,
    /// Prints dates instead of seconds after the first message.
    pub is_absolute: bool,
    /// Adds summaries to JSON.
    pub has_summary: bool,
}

/// Prints the reports of several files, and a summary of all.
pub struct Printer {
    options: Options,
    layout: Layout,
    total: Summary,
    files: usize,
}

impl Printer {
    pub fn new(options: Options) -> Self {
        let layout = Layout { width: options.width, is_absolute: options.is_absolute };
        Self { options, layout, total: Summary::default(), files: 0 }
    }

    /// Prints what precedes the first file.
    pub fn start(&self, out: &mut impl Write) -> io::Result<()> {
        match self.options.format {
            Format::Zeek => zeek::print_header(out),
            Format::Text | Format::Json | Format::Ecs => Ok(()),
        }
    }

    /// Prints the fields of the format as a table in Markdown.
    pub fn schema(&self, out: &mut impl Write) -> io::Result<()> {
        let fields = match self.options.format {
            Format::Zeek => schema::ZEEK,
            Format::Ecs => schema::ECS,
            Format::Text | Format::Json => &[],
        };
        writeln!(out, "| field | type | meaning |\n|---|---|---|")?;
        for field in fields {
            writeln!(out, "| `{}` | {} | {} |", field.name, field.kind, field.meaning)?;
        }
        Ok(())
    }

    /// Prints the messages of one file and their summary.
    pub fn file(
        &mut self,
        out: &mut impl Write,
        file: &str,
        reports: &[Report],
        summary: &Summary,
    ) -> io::Result<()> {
        self.files += 1;
        self.total.add(summary);
        match self.options.format {
            Format::Text => {
                text::print(out, file, reports, self.layout)?;
                if reports.is_empty() {
                    return Ok(());
                }
                summary::print(out, "Summary", summary, self.layout)
            }
            Format::Json => {
                reports.iter().try_for_each(|report| writeln!(out, "{}", report.to_json()))?;
                self.print_json_summary(out, Some(file), summary)
            }
            Format::Ecs => ecs::print(out, reports),
            Format::Zeek => zeek::print(out, reports),
        }
    }

    /// Prints a summary of several files.
    pub fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        if self.files < 2 {
            return Ok(());
        }
        match self.options.format {
            Format::Text => {
                let title = format!("Summary of {} files", self.files);
                summary::print(out, &title, &self.total, self.layout)
            }
            Format::Json => self.print_json_summary(out, None, &self.total),
            Format::Ecs | Format::Zeek => Ok(()),
        }
    }

    fn print_json_summary(
        &self,
        out: &mut impl Write,
        file: Option<&str>,
        summary: &Summary,
    ) -> io::Result<()> {
        if !self.options.has_summary {
            return Ok(());
        }
        writeln!(out, "{}", json!({ "summary": summary.to_json(file) }))
    }
}

/// Number of columns if standard output is neither a terminal nor described by `COLUMNS`.
const DEFAULT_WIDTH: usize = 120;
/// A line of a message needs this number of columns.
const MIN_WIDTH: usize = 80;

/// Returns the width of the terminal, or the value of `COLUMNS`, or a default.
pub fn terminal_width() -> usize {
    let terminal = comfy_table::Table::new().width().map(usize::from);
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(columns).unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH)
}
