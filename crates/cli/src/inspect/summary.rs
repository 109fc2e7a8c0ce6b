//! Counts over all messages of a file, or of several files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bits_proto::observer::Severity;
use serde_json::{Value, json};

use crate::inspect::report::{Party, Report, Verdict};
use crate::inspect::uploads::Uploads;

/// Counts that are printed after the messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub conversations: u64,
    pub requests: u64,
    pub responses: u64,
    /// Messages of other protocols.
    pub foreign: u64,
    pub rejected: u64,
    pub partial: u64,
    /// Number of bytes that belong to no message.
    pub skipped: u64,
    pub transfer: Transfer,
    pub sessions: Sessions,
    pub violations: BTreeMap<Rule, u64>,
}

/// Counts of fragments and of what followed from their loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    pub fragments: u64,
    /// Number of bytes in all fragments, including repeated ones.
    pub sent: u64,
    /// Number of bytes of the entities that the server acknowledged.
    pub acknowledged: u64,
    /// Number of packets that were sent again.
    pub retries: u64,
    /// Number of responses that move the client to another offset.
    pub resynchronisations: u64,
}

/// Counts of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    pub created: u64,
    pub closed: u64,
    pub cancelled: u64,
    /// Sessions that the server did not know any more.
    pub lost: u64,
    /// Sessions that are open after the last message.
    pub open: u64,
}

/// A violated rule, and the party that violated it. Severe rules are first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    severity: Reverse<Severity>,
    pub party: Party,
    pub name: &'static str,
    pub section: &'static str,
}

impl Rule {
    /// Returns the rules that a message violates.
    pub fn violated_by(report: &Report) -> impl Iterator<Item = Self> {
        report.violations.iter().map(|violation| Self {
            severity: Reverse(violation.severity()),
            party: report.sender(),
            name: violation.rule(),
            section: violation.section(),
        })
    }

    pub fn severity(&self) -> Severity {
        self.severity.0
    }
}

impl Summary {
    /// Counts the messages of one file.
    pub fn of(reports: &[Report]) -> Self {
        let mut summary = Self::default();
        let mut uploads = Uploads::default();
        let mut conversations = BTreeSet::new();
        for report in reports {
            summary.count(report);
            if uploads.observe(report).is_packet {
                conversations.insert(report.conversation);
            }
        }
        summary.conversations = conversations.len() as u64;
        (summary.transfer, summary.sessions) = uploads.finish();
        summary
    }

    fn count(&mut self, report: &Report) {
        if let Some(skipped) = &report.skipped {
            self.skipped = self.skipped.saturating_add(skipped.length);
            return;
        }
        let counts = if report.is_request() { &mut self.requests } else { &mut self.responses };
        *counts += 1;
        match report.verdict {
            Verdict::Foreign => self.foreign += 1,
            Verdict::Rejected => self.rejected += 1,
            Verdict::Partial => self.partial += 1,
            Verdict::Ok | Verdict::Deviates | Verdict::Skipped => {}
        }
        for rule in Rule::violated_by(report) {
            *self.violations.entry(rule).or_default() += 1;
        }
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Self) {
        self.conversations += other.conversations;
        self.requests += other.requests;
        self.responses += other.responses;
        self.foreign += other.foreign;
        self.rejected += other.rejected;
        self.partial += other.partial;
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.transfer.add(&other.transfer);
        self.sessions.add(&other.sessions);
        for (rule, count) in &other.violations {
            *self.violations.entry(*rule).or_default() += count;
        }
    }

    /// Returns the violated rules, the most severe and then the most frequent first.
    pub fn sorted_violations(&self) -> Vec<(Rule, u64)> {
        let mut violations: Vec<_> =
            self.violations.iter().map(|(rule, it)| (*rule, *it)).collect();
        violations.sort_by_key(|(rule, count)| (rule.severity, Reverse(*count)));
        violations
    }

    /// Returns the counts of a file, or of all files, as JSON.
    pub fn to_json(&self, file: Option<&str>) -> Value {
        let violation = |(rule, count): (Rule, u64)| {
            json!({
                "rule": rule.name,
                "section": rule.section,
                "severity": rule.severity().name(),
                "party": rule.party.name(),
                "count": count,
            })
        };
        let violations = self.sorted_violations().into_iter().map(violation);
        json!({
            "file": file,
            "conversations": self.conversations,
            "messages": {
                "requests": self.requests,
                "responses": self.responses,
                "foreign": self.foreign,
                "rejected": self.rejected,
                "partial": self.partial,
            },
            "bytes_skipped": self.skipped,
            "fragments": self.transfer.fragments,
            "bytes_sent": self.transfer.sent,
            "bytes_acknowledged": self.transfer.acknowledged,
            "retries": self.transfer.retries,
            "resynchronisations": self.transfer.resynchronisations,
            "sessions": {
                "created": self.sessions.created,
                "closed": self.sessions.closed,
                "cancelled": self.sessions.cancelled,
                "lost": self.sessions.lost,
                "open": self.sessions.open,
            },
            "violations": violations.collect::<Vec<_>>(),
        })
    }
}

impl Transfer {
    fn add(&mut self, other: &Self) {
        self.fragments += other.fragments;
        self.sent = self.sent.saturating_add(other.sent);
        self.acknowledged = self.acknowledged.saturating_add(other.acknowledged);
        self.retries += other.retries;
        self.resynchronisations += other.resynchronisations;
    }
}

impl Sessions {
    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.closed += other.closed;
        self.cancelled += other.cancelled;
        self.lost += other.lost;
        self.open += other.open;
    }
}
