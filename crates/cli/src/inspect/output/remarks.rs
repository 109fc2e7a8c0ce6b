//! Sentences about a message: violations, deviations, advice.

use bits_proto::deviation::Deviation;
use bits_proto::field::{ContentName, ErrorContext, HResult};
use bits_proto::message::Failure;
use bits_proto::observer::Violation;

use super::shorten::{printable, shorten_path};
use crate::inspect::counted::counted;
use crate::inspect::report::{Report, Verdict};

/// Returns sentences about a message, the most important first. A URL is shortened so that its
/// sentence has at most `room` columns.
pub fn remarks(report: &Report, room: Option<usize>) -> Vec<String> {
    let violations = report.violations.iter().map(violation);
    let is_listed = |rule| report.violations.iter().any(|violation| violation.rule() == rule);
    let deviations = report.deviations.iter().filter(|it| !is_listed(it.name()));
    let reply = report.reply.map(|reply| {
        let code = reply.code().map(|code| format!(" and the code {}", code.with_name()));
        let status = reply.status();
        format!("A server should answer with the status {status}{}.", code.unwrap_or_default())
    });
    let remarks = violations
        .chain(deviations.map(deviation))
        .chain(reply)
        .chain(malformed(report))
        .chain(authentication(report))
        .chain(report.skipped.as_ref().map(|skipped| format!("{skipped}.")))
        .chain(loss(report))
        .chain(reason(report))
        .chain(report.failure.map(|failure| advice(failure, report)))
        .chain(name(report))
        .chain(host(report))
        .chain(reply_url(report, room));
    remarks.map(|remark| printable(&remark)).collect()
}

fn violation(violation: &Violation) -> String {
    let (severity, rule, section) = (violation.severity(), violation.rule(), violation.section());
    let text = sentence_start(&violation.to_string());
    match violation {
        // The description contains the section.
        Violation::Message(_) | Violation::Request(_) => format!("{severity} {rule}: {text}."),
        _ => format!("{severity} {rule}: {text} ([MC-BUP] {section})."),
    }
}

fn deviation(deviation: &Deviation) -> String {
    let text = sentence_start(deviation.description());
    format!("deviation {deviation}: {text} ([MC-BUP] {}).", deviation.section())
}

/// Returns text with an upper-case letter at the beginning.
fn sentence_start(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn loss(report: &Report) -> Option<String> {
    let lost = |count: u64, verb: &str| {
        let was = if count == 1 { "was" } else { "were" };
        format!("{} of the message {was} not {verb}.", counted(count, "byte"))
    };
    match report.missing {
        Some(missing) if missing > 0 => Some(lost(missing, "captured")),
        _ if report.unsent > 0 => Some(lost(report.unsent, "sent")),
        _ if report.verdict == Verdict::Partial && report.note.is_none() => {
            Some("The message is incomplete: the connection or the file ends inside it.".into())
        }
        _ => None,
    }
}

/// Explains a Fragment without its body.
fn authentication(report: &Report) -> Option<String> {
    let text = "The request has no body, like the first requests of an authentication.";
    report.is_authentication.then(|| text.into())
}

/// Describes the error of a message that does not belong to the protocol.
fn malformed(report: &Report) -> Option<String> {
    let error = report.error.filter(|_| report.verdict == Verdict::Foreign);
    error.map(|error| format!("The message is malformed: {error}."))
}

/// Describes the error code of a refusal, and the party with the error.
fn reason(report: &Report) -> Option<String> {
    report.failure?;
    let context = ErrorContext::parse(report.text("context")).ok().flatten();
    let is_of_application = context == Some(ErrorContext::REMOTE_APPLICATION);
    let party = if is_of_application { "server application" } else { "server" };
    let code = HResult::parse(report.text("code")).ok().flatten();
    match code.and_then(HResult::description) {
        Some(description) => Some(format!("The {party} gives the reason: {description}.")),
        None => is_of_application.then(|| format!("The {party} rejected the upload.")),
    }
}

fn advice(failure: Failure, report: &Report) -> String {
    let advice = match failure {
        Failure::StartOver => "The client should start over with Create-Session.",
        Failure::Credentials => "The client should send the packet again with credentials.",
        Failure::SmallerFragments => "The client should send smaller fragments.",
        Failure::Resynchronise => match report.number("received") {
            Some(offset) => return format!("The client should continue at byte {offset}."),
            None => "The client cannot continue, because the response contains no offset.",
        },
        Failure::Transient => "The client should send the packet again later.",
        Failure::Fatal => "The client should give up and report the failure.",
        other => return format!("The class of this failure is {other}."),
    };
    advice.into()
}

fn name(report: &Report) -> Option<String> {
    let name = report.text("content_name");
    let is_unsafe =
        !name.is_empty() && ContentName::try_from(name).is_ok_and(|name| !name.is_safe());
    is_unsafe.then(|| format!("The name \"{name}\" is not safe to use as a file name."))
}

fn host(report: &Report) -> Option<String> {
    let host = report.text("host_id");
    (!host.is_empty()).then(|| format!("The client must continue at the host {host}."))
}

fn reply_url(report: &Report, room: Option<usize>) -> Option<String> {
    let urls = ["reply_url", "static_response_url"].map(|key| printable(report.text(key)));
    let url = urls.into_iter().find(|url| !url.is_empty())?;
    let room = room.map(|room| room.saturating_sub("The reply is at .".len()));
    Some(format!("The reply is at {}.", room.map_or(url.clone(), |room| shorten_path(&url, room))))
}
