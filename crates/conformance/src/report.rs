//! The results of an examination.

use serde::Serialize;

use crate::entry::{Outcome, Stop};
use crate::{Case, Level, Message};

/// The result of one [`Case`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The peer behaves as expected.
    Pass,
    /// The peer does not; the text states the expected and the received behaviour.
    Fail(String),
    /// The case cannot be examined, for the given reason. An option may change that.
    Skipped(String),
    /// The peer does not offer what the case is about, and need not.
    NotApplicable(String),
}

impl Verdict {
    /// Returns true for [`Verdict::Fail`].
    #[must_use]
    pub const fn is_fail(&self) -> bool {
        matches!(self, Self::Fail(_))
    }

    /// Returns a stable name: `pass`, `fail`, `skipped` or `not-applicable`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Skipped(_) => "skipped",
            Self::NotApplicable(_) => "not-applicable",
        }
    }

    /// Returns the reason; `None` for [`Verdict::Pass`].
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pass => None,
            Self::Fail(reason) | Self::Skipped(reason) | Self::NotApplicable(reason) => {
                Some(reason)
            }
        }
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(()) => Self::Pass,
            Err(Stop::Fail(reason) | Stop::Loss(reason)) => Self::Fail(reason),
            Err(Stop::Skip(reason)) => Self::Skipped(reason),
            Err(Stop::NotApplicable(reason)) => Self::NotApplicable(reason),
        }
    }
}

/// A rule that the peer violated, as the observer of the conversation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the rule; see [`Violation::rule`](bits_proto::observer::Violation::rule).
    pub rule: &'static str,
    /// The field that is invalid or missing.
    pub field: Option<&'static str>,
    /// The section of \[MC-BUP\].
    pub section: &'static str,
    /// The severity of the rule.
    pub severity: bits_proto::observer::Severity,
    /// The description.
    pub message: String,
}

/// The result of one case, with evidence.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// The result.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// True for a failure with which data is lost or damaged: the entity has other bytes, does not exist,
    /// or lacks bytes that the peer acknowledged.
    pub loses_data: bool,
    /// The rules that the observer found to be violated in the conversation.
    pub findings: Vec<Finding>,
    /// The conversation.
    pub evidence: Vec<Message>,
}

impl CaseReport {
    pub(crate) fn new(
        case: Case,
        outcome: Outcome,
        findings: Vec<Finding>,
        evidence: Vec<Message>,
    ) -> Self {
        let loses_data = matches!(outcome, Err(Stop::Loss(_)));
        Self { case, verdict: outcome.into(), loses_data, findings, evidence }
    }
}

/// The results of an examination.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The URL of the server, or the command of the client.
    pub peer: String,
    /// The results, in the order of the cases.
    pub cases: Vec<CaseReport>,
    /// The number of bytes sent.
    pub bytes_sent: u64,
    /// The number of bytes received.
    pub bytes_received: u64,
    /// The names of entities that the suite created and could not remove.
    pub remaining: Vec<String>,
}

impl Report {
    /// Returns the number of failed cases of a level.
    #[must_use]
    pub fn failed(&self, level: Level) -> usize {
        self.failures().filter(|it| it.case.level == level).count()
    }

    /// Returns the failed cases.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|it| it.verdict.is_fail())
    }

    /// Returns true if no case failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the report as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Fails only for maps whose keys are not strings.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
