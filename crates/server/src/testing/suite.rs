//! Cases of a conformance suite and the report of their results.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::BoxError;

/// Time limit of one case.
const CASE_TIMEOUT: Duration = Duration::from_secs(120);

/// Time that a query may be out of date.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// Interval of repeated queries.
const INTERVAL: Duration = Duration::from_millis(20);

pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Result of a case. The error says what was expected and what happened.
pub(super) type Outcome = Result<(), BoxError>;

type Open<T> = dyn Fn(String) -> BoxFuture<Result<Arc<T>, BoxError>> + Send + Sync;

/// One promise of a trait, and its test.
pub(super) struct Case<T: ?Sized> {
    pub(super) name: &'static str,
    pub(super) promise: &'static str,
    pub(super) run: fn(Opener<T>) -> BoxFuture<Outcome>,
}

/// Opens the implementation under test. Each case has one of its own.
pub(super) struct Opener<T: ?Sized> {
    name: String,
    open: Arc<Open<T>>,
}

impl<T: ?Sized> Opener<T> {
    /// Opens the implementation. Each call opens the one with the same contents.
    pub(super) async fn open(&self) -> Result<Arc<T>, BoxError> {
        (self.open)(self.name.clone()).await.map_err(|error| format!("cannot open: {error}").into())
    }
}

/// Lists test functions as cases, each with its promise.
macro_rules! cases {
    ($($name:ident: $promise:literal;)*) => {
        &[$($crate::testing::suite::Case {
            name: stringify!($name),
            promise: $promise,
            run: |opener| Box::pin($name(opener)),
        }),*]
    };
}

/// Returns an error from a case unless the condition is true.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+).into());
        }
    };
}

/// Returns an error from a case unless both values are equal.
macro_rules! ensure_eq {
    ($actual:expr, $expected:expr, $($message:tt)+) => {
        match (&$actual, &$expected) {
            (actual, expected) => ensure!(
                *actual == *expected,
                "{}: expected {expected:?}, got {actual:?}",
                format_args!($($message)+)
            ),
        }
    };
}

pub(super) use {cases, ensure, ensure_eq};

/// Runs all cases, one after the other.
pub(super) async fn run<T: ?Sized + 'static>(cases: &[&[Case<T>]], open: Arc<Open<T>>) -> Report {
    let mut results = Vec::new();
    for case in cases.iter().flat_map(|cases| cases.iter()) {
        let opener = Opener { name: case.name.replace('_', "-"), open: Arc::clone(&open) };
        // In a task of its own, so that a panic fails only this case.
        let mut task = tokio::spawn((case.run)(opener));
        let failure = match timeout(CASE_TIMEOUT, &mut task).await {
            Ok(Ok(outcome)) => outcome.err().map(|error| error.to_string()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => {
                task.abort();
                Some(format!("not finished after {} seconds", CASE_TIMEOUT.as_secs()))
            }
        };
        results.push(CaseResult { name: case.name, promise: case.promise, failure });
    }
    Report { results }
}

/// Repeats a query that may be out of date, until it returns the expected value.
pub(super) async fn eventually<T, E, F>(
    what: &str,
    expected: T,
    mut query: impl FnMut() -> F,
) -> Outcome
where
    T: PartialEq + fmt::Debug,
    E: Into<BoxError>,
    F: Future<Output = Result<T, E>>,
{
    let start = tokio::time::Instant::now();
    loop {
        let actual = query().await.map_err(Into::into)?;
        if actual == expected {
            return Ok(());
        }
        ensure!(start.elapsed() < MAX_DELAY, "{what}: expected {expected:?}, got {actual:?}");
        sleep(INTERVAL).await;
    }
}

/// Results of a conformance suite.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    results: Vec<CaseResult>,
}

/// Result of one case of a conformance suite.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseResult {
    /// Name of the case.
    pub name: &'static str,
    /// The promise that the case tests.
    pub promise: &'static str,
    /// Reason for the failure; `None` if the case passed.
    pub failure: Option<String>,
}

impl Report {
    /// Returns the results of all cases.
    #[must_use]
    pub fn results(&self) -> &[CaseResult] {
        &self.results
    }

    /// Returns the cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.failure.is_some())
    }

    /// Checks that all cases passed.
    ///
    /// # Panics
    ///
    /// Panics with the names, promises and reasons of the cases that failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.failures().next().is_none(), "{self}");
    }
}

/// Formats the cases that failed, or the number of cases that passed.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures().count();
        if failures == 0 {
            return write!(f, "all {} cases passed", self.results.len());
        }
        write!(f, "{failures} of {} cases failed", self.results.len())?;
        for CaseResult { name, promise, failure } in self.failures() {
            write!(f, "\n{name}: {promise}\n    {}", failure.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}
