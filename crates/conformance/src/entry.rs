//! The tables of cases.

use crate::{Case, Finding, Level};

/// The reason why a case ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    Fail(String),
    /// A failure with which the peer loses or damages data.
    Loss(String),
    Skip(String),
    NotApplicable(String),
}

/// The result of a case, or of a part of it.
pub(crate) type Outcome = Result<(), Stop>;

/// Returns the result of a failed case.
pub(crate) fn fail(reason: impl Into<String>) -> Outcome {
    Err(Stop::Fail(reason.into()))
}

/// A case with the way to examine it.
#[derive(Clone, Copy)]
pub(crate) struct Entry<P> {
    pub(crate) case: Case,
    pub(crate) plan: P,
    /// Rules of the observer. Their violation in any conversation that is otherwise valid is a failure of
    /// this case. `missing-field BITS-Protocol` is a rule about one field, and `MUST` is each rule of
    /// this severity that no case names.
    pub(crate) rules: &'static [&'static str],
}

impl<P: Copy> Entry<P> {
    pub(crate) const fn planned(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        plan: P,
    ) -> Self {
        Self { case: Case { id, level, requirements, advice }, plan, rules: &[] }
    }

    /// Returns true if the case names the rule that was violated.
    pub(crate) fn names(&self, finding: &Finding) -> bool {
        self.rules.iter().any(|rule| match rule.split_once(' ') {
            Some((rule, field)) => rule == finding.rule && Some(field) == finding.field,
            None => *rule == finding.rule,
        })
    }

    pub(crate) const fn with_rules(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }
}
