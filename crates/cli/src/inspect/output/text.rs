//! One line per message, with sentences below it.

use std::collections::HashMap;
use std::io::{self, Write};

use comfy_table::{Cell, Color, ContentArrangement, Row, Table, presets};
use textwrap::{Options, WordSplitter};

use super::clock::{absolute, relative};
use super::details::{details, name};
use super::remarks::remarks;
use super::shorten::{printable, shorten, shorten_path, shorten_session};
use crate::inspect::report::{Report, Verdict};
use crate::inspect::source::{Direction, Time};

/// The layout of the text.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Maximum number of columns, unless the text is not shortened.
    pub width: Option<usize>,
    /// Prints dates instead of seconds after the first message.
    pub is_absolute: bool,
}

/// Maximum number of columns of an index, a time and a name.
const MAX_CELLS: [usize; 3] = [8, 24, 16];
/// Number of columns for details below which the other columns are reduced.
const MIN_DETAILS: usize = 20;
const INDENT: &str = "      ";

/// Prints the messages of one file.
pub fn print(
    out: &mut impl Write,
    file: &str,
    reports: &[Report],
    layout: Layout,
) -> io::Result<()> {
    writeln!(out, "{}", layout.path(file))?;
    if reports.is_empty() {
        return writeln!(out, "The input contains no HTTP message.\n");
    }
    let messages = Messages::new(reports, layout);
    messages.print_legend(out)?;
    messages.print(out)
}

impl Layout {
    /// Wraps a paragraph, with indented lines after the first one.
    pub fn wrap(&self, text: &str, first: &str, rest: &str) -> Vec<String> {
        let Some(width) = self.width else { return vec![format!("{first}{text}")] };
        // Keeps the numbers of sections on the line of the specification.
        let text = text.replace("[MC-BUP] ", "[MC-BUP]\u{A0}");
        let options = Options::new(width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_splitter(WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(&text, options);
        lines.into_iter().map(|line| line.replace('\u{A0}', " ")).collect()
    }

    fn path(&self, path: &str) -> String {
        let path = printable(path);
        self.width.map_or_else(|| path.clone(), |width| shorten_path(&path, width))
    }
}

/// The messages of a file, and the values that their lines refer to.
struct Messages<'r> {
    reports: &'r [Report],
    layout: Layout,
    /// The connections and their numbers.
    connections: HashMap<&'r str, usize>,
    /// Time of the first message.
    start: Option<Time>,
    has_sessions: bool,
}

impl<'r> Messages<'r> {
    fn new(reports: &'r [Report], layout: Layout) -> Self {
        let connections = connections(reports);
        let start = reports.iter().find_map(|report| report.time);
        let has_sessions = reports.iter().any(|report| !report.text("session_id").is_empty());
        Self { reports, layout, connections, start, has_sessions }
    }

    /// Explains the columns, and lists the connections with their numbers.
    fn print_legend(&self, out: &mut impl Write) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut connections: Vec<_> = self.connections.iter().collect();
        connections.sort_by_key(|(_, number)| **number);
        for (ends, number) in connections {
            lines.extend(self.layout.wrap(ends, &format!("connection {number}: "), INDENT));
        }
        let start = self.start.filter(|_| !self.layout.is_absolute).and_then(|it| absolute(it, 3));
        let start = start.map(|start| format!(" Times are seconds after {start}."));
        let text = format!("→ request, ← response.{}", start.unwrap_or_default());
        lines.extend(self.layout.wrap(&text, "", ""));
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out)
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let (mut table, room) = self.table();
        for (row, report) in table.row_iter_mut().zip(self.reports) {
            row.add_cell(Cell::new(details(report, room)));
        }
        let mut lines = table.lines().map(|line| line.trim_end().to_string());
        lines.next().map_or(Ok(()), |header| writeln!(out, "{header}"))?;
        for (line, report) in lines.zip(self.reports) {
            writeln!(out, "{line}")?;
            let room = self.layout.width.map(|width| width - INDENT.len());
            for remark in remarks(report, room) {
                let lines = self.layout.wrap(&remark, INDENT, &format!("{INDENT}  "));
                lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
        }
        writeln!(out)
    }

    /// Returns a table without details, and the number of columns that it leaves for them.
    fn table(&self) -> (Table, Option<usize>) {
        let is_sufficient = |room: Option<usize>| room.is_none_or(|room| room >= MIN_DETAILS);
        for (has_sessions, gap) in [(self.has_sessions, 2), (false, 2)] {
            let (table, room) = self.table_of(has_sessions, gap);
            if is_sufficient(room) {
                return (table, room);
            }
        }
        self.table_of(false, 1)
    }

    /// Returns a table with this number of blanks between two cells.
    fn table_of(&self, has_sessions: bool, gap: u16) -> (Table, Option<usize>) {
        let mut header = vec!["#"];
        header.extend(self.start.map(|_| "time"));
        header.extend((!self.connections.is_empty()).then_some("conn"));
        header.extend(["", "message"]);
        header.extend(has_sessions.then_some("session"));
        header.extend(["verdict", "details"]);
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(header)
            .add_rows(self.reports.iter().map(|report| self.row(report, has_sessions)));
        for column in table.column_iter_mut() {
            column.set_padding((0, gap));
        }
        let room = self.room(&table, gap);
        (table, room)
    }

    fn row(&self, report: &Report, has_sessions: bool) -> Row {
        let [index, time, name_width] = MAX_CELLS;
        let mut cells = vec![Cell::new(self.limit(&report.index.to_string(), index))];
        cells
            .extend(self.start.map(|start| Cell::new(self.limit(&self.time(report, start), time))));
        if !self.connections.is_empty() {
            let ends = report.connection.as_deref().unwrap_or_default();
            let number = self.connections.get(ends);
            cells.push(Cell::new(number.map(usize::to_string).unwrap_or_default()));
        }
        cells.push(Cell::new(match report.direction {
            Some(Direction::Request) => "→",
            Some(Direction::Response) => "←",
            None => "",
        }));
        cells.push(Cell::new(self.limit(&name(report), name_width)));
        if has_sessions {
            let id = printable(report.text("session_id"));
            cells.push(Cell::new(if self.layout.width.is_some() {
                shorten_session(&id)
            } else {
                id
            }));
        }
        cells.push(coloured(report));
        Row::from(cells)
    }

    fn time(&self, report: &Report, start: Time) -> String {
        let digits = if self.layout.width.is_some() { 3 } else { 6 };
        let time = report.time.map(|time| match self.layout.is_absolute {
            true => absolute(time, digits).unwrap_or_else(|| time.to_string()),
            false => relative(time, start, digits),
        });
        time.unwrap_or_default()
    }

    fn limit(&self, text: &str, width: usize) -> String {
        if self.layout.width.is_some() { shorten(text, width) } else { text.into() }
    }

    /// Returns the number of columns that a table leaves for details.
    fn room(&self, table: &Table, gap: u16) -> Option<usize> {
        let mut widths = table.column_max_content_widths();
        // The last column contains only its title.
        widths.pop();
        let used: usize = widths.iter().map(|width| usize::from(width + gap)).sum();
        self.layout.width.map(|width| width.saturating_sub(used))
    }
}

/// Numbers the connections in the order of their first messages.
pub fn connections(reports: &[Report]) -> HashMap<&str, usize> {
    let mut connections = HashMap::new();
    for ends in reports.iter().filter_map(|report| report.connection.as_deref()) {
        let next = connections.len() + 1;
        connections.entry(ends).or_insert(next);
    }
    connections
}

fn coloured(report: &Report) -> Cell {
    let cell = Cell::new(report.verdict.name());
    if std::env::var_os("NO_COLOR").is_some() { cell } else { cell.fg(colour(report)) }
}

fn colour(report: &Report) -> Color {
    match report.verdict {
        Verdict::Rejected => Color::Red,
        Verdict::Partial | Verdict::Skipped => Color::Magenta,
        Verdict::Foreign => Color::DarkGrey,
        Verdict::Deviates => Color::Yellow,
        Verdict::Ok if report.failure.is_some() => Color::Yellow,
        Verdict::Ok => Color::Green,
    }
}
