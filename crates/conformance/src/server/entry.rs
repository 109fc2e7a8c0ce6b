//! The table of cases.

use std::future::Future;
use std::pin::Pin;

use super::test::Test;
use super::variant::Variant;
use crate::{Case, Finding, Level};

/// The reason why a case ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    Fail(String),
    Skip(String),
    NotApplicable(String),
}

/// The end of a case, or of a part of it.
pub(super) type Outcome = Result<(), Stop>;

pub(super) type Run =
    for<'a> fn(&'a mut Test) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// The way to examine a case.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    Run(Run),
    Variant(Variant),
}

/// A case with its plan.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) case: Case,
    pub(super) plan: Plan,
    /// Rules of the observer. Their violation in any conversation that is otherwise valid is a failure of
    /// this case. `missing-field BITS-Protocol` is a rule about one field, and `MUST` is each rule of
    /// this severity that no case names.
    pub(super) rules: &'static [&'static str],
}

impl Entry {
    pub(super) const fn new(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        run: Run,
    ) -> Self {
        Self { case: Case { id, level, requirements, advice }, plan: Plan::Run(run), rules: &[] }
    }

    /// A case that consists of one request which differs from an ordinary one.
    pub(super) const fn variant(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        variant: Variant,
    ) -> Self {
        let case = Case { id, level, requirements, advice };
        Self { case, plan: Plan::Variant(variant), rules: &[] }
    }

    /// Returns true if the case names the rule that was violated.
    pub(super) fn names(&self, finding: &Finding) -> bool {
        self.rules.iter().any(|rule| match rule.split_once(' ') {
            Some((rule, field)) => rule == finding.rule && Some(field) == finding.field,
            None => *rule == finding.rule,
        })
    }

    pub(super) const fn with_rules(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }
}
