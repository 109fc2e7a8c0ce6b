//! The rules that the head of a response violates.

use super::DownloadRule;
use super::parts::Parts;
use super::request::Requested;
use super::version::{EntityVersion, Versions};
use crate::download::{Method, Precondition, Response};
use crate::http1::StatusCode;
use crate::observer::Violation;

/// Checks the response to a request. Returns the parts to expect if the body has several.
pub(super) fn check_response(
    requested: &Requested,
    response: &Response<'_>,
    versions: &mut Versions,
    report: &mut impl FnMut(Violation),
) -> Option<Parts> {
    if response.status == StatusCode::RANGE_NOT_SATISFIABLE {
        check_unsatisfiable(requested, response, report);
    }
    let is_partial = response.status == StatusCode::PARTIAL_CONTENT;
    if !is_partial && response.status != StatusCode::OK {
        return None;
    }
    check_fields(requested, response, report);
    check_conditions(requested, response, report);
    if response.is_encoded {
        // Lengths and validators may be those of the encoded entity.
        return None;
    }
    let version = EntityVersion::new(response);
    versions.observe(requested.method, version, report);
    if !is_partial {
        check_whole(requested, response, report);
        return None;
    }
    let mut parts = Parts::new(requested.method, version, requested.ranges);
    match response.content_range {
        Some(_) if requested.ranges.count == 0 => report(DownloadRule::UnrequestedRange.into()),
        Some(content_range) => {
            parts.observe(content_range, report);
            parts.check_end(report);
        }
        None if requested.ranges.count <= 1 => report(DownloadRule::UnexpectedMultipart.into()),
        None => return Some(parts).filter(|_| requested.method == Method::Get),
    }
    None
}

/// Checks the fields that every response with the entity must have, and its coding.
fn check_fields(
    requested: &Requested,
    response: &Response<'_>,
    report: &mut impl FnMut(Violation),
) {
    if response.body.known().is_none() {
        report(DownloadRule::WithoutLength.into());
    }
    if response.last_modified.is_none() {
        report(DownloadRule::WithoutDate.into());
    }
    if response.is_encoded && requested.accepts_only_identity {
        report(DownloadRule::UnrequestedCoding.into());
    }
}

fn check_conditions(
    requested: &Requested,
    response: &Response<'_>,
    report: &mut impl FnMut(Violation),
) {
    match requested.conditions.evaluate(response) {
        Some(Precondition::Failed) => report(DownloadRule::ChangedDespiteCondition.into()),
        Some(Precondition::NotModified) => report(DownloadRule::ConditionIgnored.into()),
        Some(Precondition::Passed) | None => {}
    }
    let is_partial = response.status == StatusCode::PARTIAL_CONTENT;
    if is_partial && requested.conditions.forbid_ranges(response) {
        report(DownloadRule::RangesDespiteCondition.into());
    }
}

/// Checks a 200 response, which ignores the ranges of the request. HEAD has none.
fn check_whole(requested: &Requested, response: &Response<'_>, report: &mut impl FnMut(Violation)) {
    let is_get = requested.method == Method::Get;
    let length = response.entity_length().filter(|_| is_get && requested.conditions.allow_ranges());
    let Some(length) = length else { return };
    let mut satisfiable = requested.ranges.resolve(length);
    if satisfiable.any(|it| !it.range.is_whole(length)) {
        report(match requested.ranges.count {
            1 => DownloadRule::RangeIgnored.into(),
            _ => DownloadRule::SeveralRangesRefused.into(),
        });
    }
}

fn check_unsatisfiable(
    requested: &Requested,
    response: &Response<'_>,
    report: &mut impl FnMut(Violation),
) {
    let length = response.content_range.and_then(|content_range| content_range.total());
    let is_satisfiable = length.is_some_and(|it| requested.ranges.resolve(it).next().is_some());
    if is_satisfiable {
        report(match requested.ranges.count {
            1 => DownloadRule::SatisfiableRangeRefused.into(),
            _ => DownloadRule::SeveralRangesRefused.into(),
        });
    }
}
