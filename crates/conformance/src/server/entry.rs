//! The ways to examine a case.

use std::future::Future;
use std::pin::Pin;

use super::test::Test;
use super::variant::Variant;
use crate::Level;
pub(super) use crate::entry::{Outcome, Stop};

pub(super) type Run =
    for<'a> fn(&'a mut Test) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// The way to examine a case.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    Run(Run),
    Variant(Variant),
}

/// A case with its plan.
pub(super) type Entry = crate::entry::Entry<Plan>;

impl Entry {
    pub(super) const fn new(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        run: Run,
    ) -> Self {
        Self::planned(id, level, requirements, advice, Plan::Run(run))
    }

    /// A case that consists of one request which differs from an ordinary one.
    pub(super) const fn variant(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        variant: Variant,
    ) -> Self {
        Self::planned(id, level, requirements, advice, Plan::Variant(variant))
    }
}
