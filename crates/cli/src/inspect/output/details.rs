//! The purpose and the values of one message, in few words.

use bits_proto::field::HResult;
use unicode_width::UnicodeWidthStr as _;

use super::shorten::{printable, shorten, shorten_path};
use crate::inspect::counted::counted;
use crate::inspect::report::{Report, StartLine, Verdict};

/// Number of columns below which a path is of no use.
const MIN_PATH: usize = 12;

/// A description of a message.
#[derive(Default)]
struct Details {
    /// Alternatives, the longest first.
    texts: Vec<String>,
    /// A path or URL after the text.
    path: String,
}

/// Returns a name of the message, such as `fragment` or `ack 200`.
pub fn name(report: &Report) -> String {
    let name = match (&report.start_line, report.kind) {
        (StartLine::Request { .. }, "notification-request") => "notification".into(),
        (StartLine::Request { method, .. }, "download" | "other" | "unknown") => method.clone(),
        (StartLine::Response { status, .. }, "ack") => format!("ack {status}"),
        (StartLine::Response { status, .. }, "notification-response") => {
            format!("notification {status}")
        }
        (StartLine::Response { status, .. }, _) => format!("HTTP {status}"),
        (_, "other") if report.verdict == Verdict::Partial => "(incomplete)".into(),
        (_, "other") => "(unreadable)".into(),
        (_, kind) => kind.into(),
    };
    printable(&name)
}

/// Returns the purpose and the values of a message in at most `room` columns.
pub fn details(report: &Report, room: Option<usize>) -> String {
    let details = match (&report.note, &report.skipped) {
        (Some(note), _) => Details::from(note.as_str()),
        (None, Some(skipped)) => Details::new([counted(skipped.length, "byte")], ""),
        (None, None) if report.is_request() => of_request(report),
        (None, None) => of_response(report),
    };
    details.fit(room.unwrap_or(usize::MAX))
}

impl Details {
    fn new(texts: impl IntoIterator<Item = String>, path: &str) -> Self {
        let texts = texts.into_iter().map(|text| printable(&text)).collect();
        Self { texts, path: printable(path) }
    }

    /// Returns the longest text that fits, and a path that is shortened if necessary.
    fn fit(&self, room: usize) -> String {
        let path = self.path.width();
        let for_path = if path == 0 { 0 } else { 1 + path.min(MIN_PATH) };
        let fits = |text: &&String| text.width() + for_path <= room;
        let text = self.texts.iter().find(fits).or(self.texts.last());
        let text = text.map(String::as_str).unwrap_or_default();
        match room.checked_sub(text.width() + 1) {
            Some(rest) if path > 0 && !text.is_empty() => {
                format!("{text} {}", shorten_path(&self.path, rest))
            }
            _ if text.is_empty() => shorten_path(&self.path, room),
            _ => shorten(text, room),
        }
    }
}

impl From<&str> for Details {
    fn from(text: &str) -> Self {
        Self::new([text.to_string()], "")
    }
}

fn of_request(report: &Report) -> Details {
    let target = match &report.start_line {
        StartLine::Request { target, .. } => target.as_str(),
        _ => "",
    };
    match report.kind {
        "create-session" if target.is_empty() => Details::default(),
        "create-session" => {
            let to = name_of_entity(report, target).map(|name| format!("{name} to"));
            Details::new(to.into_iter().chain(["to".into()]), target)
        }
        "fragment" => range(report).unwrap_or_default(),
        "ping" => Details::new(
            ["checks that the server answers", "checks the server"].map(String::from),
            "",
        ),
        "close-session" => "completes the upload".into(),
        "cancel-session" => "cancels the upload".into(),
        "notification-request" => {
            Details::new(["of the upload to".into()], report.text("original_request_url"))
        }
        _ => Details::new([], target),
    }
}

/// Returns the name of an entity, unless the target ends with it.
fn name_of_entity<'r>(report: &'r Report, target: &str) -> Option<&'r str> {
    let name = report.text("content_name");
    let is_new = !name.is_empty() && !target.ends_with(&format!("/{name}"));
    is_new.then_some(name)
}

fn range(report: &Report) -> Option<Details> {
    let (first, last) = (report.number("first")?, report.number("last")?);
    let total = report.number("total")?;
    let length = last.saturating_sub(first).saturating_add(1);
    let texts = [
        format!("bytes {first}–{last} of {total}"),
        format!("{first}–{last} of {total}"),
        format!("{first}–{last}"),
        counted(length, "byte"),
    ];
    Some(Details::new(texts, ""))
}

fn of_response(report: &Report) -> Details {
    match report.kind {
        "ack" if report.failure.is_some() => refusal(report),
        "ack" if matches!(report.verdict, Verdict::Ok | Verdict::Deviates) => success(report),
        "notification-response" => answer_of_application(report),
        "download" => range(report).unwrap_or_default(),
        _ if report.verdict == Verdict::Foreign => "not a BITS message".into(),
        _ => Details::default(),
    }
}

fn success(report: &Report) -> Details {
    match (report.ack_context, report.number("received")) {
        (Some("create-session"), _) => "session created".into(),
        (Some("ping"), _) => "the server answers".into(),
        (Some("close-session"), _) => "upload completed".into(),
        (Some("cancel-session"), _) => "upload cancelled".into(),
        (_, Some(received)) => {
            let bytes = counted(received, "byte");
            Details::new([format!("{bytes} received"), bytes], "")
        }
        (Some("fragment"), None) => "fragment accepted".into(),
        _ => Details::default(),
    }
}

fn refusal(report: &Report) -> Details {
    let request = report.ack_context.unwrap_or("request");
    // Zero is no error code.
    let code = HResult::parse(report.text("code")).ok().flatten();
    let offset = report.number("received").filter(|_| report.status() == Some(416));
    let mut texts = Vec::new();
    if let Some(offset) = offset {
        texts.push(format!("{request} rejected; byte {offset} is expected"));
        texts.push(format!("byte {offset} is expected"));
    }
    if let Some(code) = code {
        texts.push(format!("{request} rejected with {}", code.with_name()));
        texts.push(format!("{request} rejected with {code}"));
        texts.push(format!("rejected with {code}"));
    }
    texts.push(format!("{request} rejected"));
    Details::new(texts, "")
}

fn answer_of_application(report: &Report) -> Details {
    let is_accepted = report.status().is_some_and(|status| (200..300).contains(&status));
    if is_accepted { "accepted by the application" } else { "rejected by the application" }.into()
}
