//! The violated rules of an input, with links to their messages.

use std::collections::{BTreeMap, HashSet};

use maud::{Markup, html};

use super::conversation::{Labels, severity_class};
use super::selection::Chosen;
use super::visible_up_to;
use crate::inspect::report::Report;
use crate::inspect::summary::{Rule, Summary};

/// Maximum number of messages in the list of one rule.
const MAX_LINKS: usize = 20;

/// Maximum number of columns of the description of a violation.
const MAX_EXAMPLE: usize = 160;

/// Violations of one rule.
struct RuleViolations {
    /// The first messages, and one more if there are more.
    messages: Vec<usize>,
    /// Describes the first violation.
    example: String,
}

/// Returns the violations of each rule.
fn by_rule(reports: &[Report]) -> BTreeMap<Rule, RuleViolations> {
    let mut by_rule = BTreeMap::new();
    for report in reports {
        for (rule, violation) in Rule::violated_by(report).zip(&report.violations) {
            let first = || RuleViolations { messages: Vec::new(), example: violation.to_string() };
            let messages = &mut by_rule.entry(rule).or_insert_with(first).messages;
            if messages.last() != Some(&report.index) && messages.len() <= MAX_LINKS {
                messages.push(report.index);
            }
        }
    }
    by_rule
}

/// Returns a table of the violated rules by severity, party and rule.
pub fn violations(
    labels: &Labels<'_>,
    reports: &[Report],
    summary: &Summary,
    chosen: &[Chosen<'_, '_>],
) -> Markup {
    let shown: HashSet<_> =
        chosen.iter().flat_map(Chosen::messages).map(|it| it.report.index).collect();
    let by_rule = by_rule(reports);
    html! {
        h3 { "Violations" }
        @if by_rule.is_empty() {
            p.note { "No message violates a rule." }
        } @else {
            div.scroll tabindex="0" { table.violations {
                thead { tr {
                    @for title in ["severity", "by", "rule", "section", "count", "messages"] {
                        th scope="col" { (title) }
                    }
                } }
                tbody { @for (rule, count) in summary.sorted_violations() { @let violations = &by_rule[&rule]; tr {
                    td { span class=(format!("chip {}", severity_class(rule.severity()))) { (rule.severity()) } }
                    td class=(rule.party.name()) { (rule.party.name()) }
                    td { code { (rule.name) } small { bdi { (visible_up_to(&violations.example, MAX_EXAMPLE)) } } }
                    td { (rule.section) }
                    td.number { (count) }
                    td { @for index in violations.messages.iter().take(MAX_LINKS) {
                        @if shown.contains(index) {
                            a href=(format!("#{}", labels.id(*index))) { "#" (index) } " "
                        } @else { "#" (index) " " }
                    } @if violations.messages.len() > MAX_LINKS { "…" } }
                } } }
            } }
            p.note { (crate::inspect::output::summary::meanings(summary)) }
        }
    }
}
