//! The ways to examine a case.

use super::download::{self, Download};
use super::scenario::Scenario;
use super::upload::{self, Upload};
use crate::Level;
pub(super) use crate::entry::{Outcome, Stop, fail};

/// The way to examine a case.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    Upload(Scenario<Upload>),
    Download(Scenario<Download>),
}

/// A case with its plan.
pub(super) type Entry = crate::entry::Entry<Plan>;

impl Entry {
    pub(super) const fn upload(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        scenario: upload::Scenario,
    ) -> Self {
        Self::planned(id, level, requirements, advice, Plan::Upload(scenario))
    }

    pub(super) const fn download(
        id: &'static str,
        level: Level,
        requirements: &'static [&'static str],
        advice: &'static str,
        scenario: download::Scenario,
    ) -> Self {
        Self::planned(id, level, requirements, advice, Plan::Download(scenario))
    }
}
