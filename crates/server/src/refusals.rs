//! Refusals of the server, in the log and as a metric.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bits_proto::field::{ErrorContext, HResult};
use bits_proto::message::Refusal;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tracing::{debug, field, info};

use crate::{Deny, metrics};

/// Number of lines at INFO in one interval. A client can cause any number of refusals.
const MAX_LINES: u32 = 100;

const INTERVAL: Duration = Duration::from_secs(10);

/// A refusal that concerns the client or a limit of the server. Failures have lines of their own.
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    /// The rejected value, or the reason of the refusal.
    pub(crate) detail: Option<String>,
}

impl Refused {
    /// Returns the description of a refusal of the protocol; `None` for those of a usual transfer, of an
    /// application, and for failures.
    pub(crate) fn new(refusal: &Refusal<'_>, detail: Option<String>) -> Option<Self> {
        if refusal.context() == Some(ErrorContext::REMOTE_APPLICATION) {
            return None;
        }
        let status = refusal.status().get();
        let reason = match (status, refusal.code()) {
            (401, _) => "unauthenticated",
            (403, Some(HResult::FILE_EXISTS)) => "exists",
            (403, Some(HResult::INVALID_NAME)) => "invalid-name",
            (403, _) => "denied",
            (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => "too-large",
            (_, Some(HResult::E_INVALIDARG)) => "invalid",
            _ => return None,
        };
        Some(Self { status, reason, detail })
    }

    /// Returns the refusal of a download without access.
    pub(crate) fn denied(deny: &Deny) -> Self {
        let (status, reason) = match deny {
            Deny::Unauthenticated { .. } => (401, "unauthenticated"),
            Deny::Forbidden => (403, "denied"),
        };
        Self { status, reason, detail: Some(deny.to_string()) }
    }

    /// Returns the refusal of a session that exceeds the limit of sessions.
    pub(crate) const fn session_limit() -> Self {
        Self { status: 503, reason: "session-limit", detail: None }
    }
}

/// The lines about refusals, at most [`MAX_LINES`] in each [`INTERVAL`].
#[derive(Default)]
pub(crate) struct RefusalLog(Mutex<Option<Interval>>);

struct Interval {
    end: Instant,
    lines: u32,
    omitted: u64,
}

impl RefusalLog {
    /// Logs and counts a refusal.
    pub(crate) fn record(&self, refused: &Refused, parts: &Parts) {
        let Refused { status, reason, ref detail } = *refused;
        metrics::refused(reason);
        let detail = detail.as_ref().map(field::display);
        // Clients send credentials only after they were asked for them.
        let is_challenge = status == 401 && !parts.headers.contains_key(AUTHORIZATION);
        let omitted = if is_challenge { None } else { self.admit(Instant::now()) };
        match omitted {
            Some(0) => info!(status, reason, detail, "request refused"),
            Some(omitted) => info!(status, reason, detail, omitted, "request refused"),
            None => debug!(status, reason, detail, "request refused"),
        }
    }

    /// Returns the number of lines that were omitted before this one, or `None` to omit this one too.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *current {
            Some(interval) if now < interval.end => {
                if interval.lines == MAX_LINES {
                    interval.omitted += 1;
                    return None;
                }
                interval.lines += 1;
                Some(0)
            }
            last => {
                let omitted = last.as_ref().map_or(0, |it| it.omitted);
                *last = Some(Interval { end: now + INTERVAL, lines: 1, omitted: 0 });
                Some(omitted)
            }
        }
    }
}
