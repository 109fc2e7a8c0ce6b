//! Metrics, through the `metrics` facade.

use std::time::Duration;

use bits_proto::server::EndReason;
use metrics::{counter, gauge, histogram};

pub(crate) const REQUESTS_ACTIVE: &str = "bits_requests_active";
pub(crate) const REQUESTS_REFUSED: &str = "bits_requests_refused_total";
pub(crate) const UPLOADS_STARTED: &str = "bits_uploads_started_total";
pub(crate) const UPLOADS_FINISHED: &str = "bits_uploads_finished_total";
pub(crate) const UPLOADS_FAILED: &str = "bits_uploads_failed_total";
pub(crate) const UPLOADS_INTERRUPTED: &str = "bits_uploads_interrupted_total";
pub(crate) const BYTES_RECEIVED: &str = "bits_bytes_received_total";
pub(crate) const BYTES_SENT: &str = "bits_bytes_sent_total";
pub(crate) const SESSIONS_EXPIRED: &str = "bits_sessions_expired_total";
pub(crate) const PUBLICATION_SECONDS: &str = "bits_publication_seconds";

/// A request in progress.
pub(crate) struct ActiveRequest(());

impl ActiveRequest {
    pub(crate) fn start() -> Self {
        gauge!(REQUESTS_ACTIVE).increment(1.0);
        Self(())
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        gauge!(REQUESTS_ACTIVE).decrement(1.0);
    }
}

pub(crate) fn upload_started() {
    counter!(UPLOADS_STARTED).increment(1);
}

pub(crate) fn bytes_received(bytes: u64) {
    counter!(BYTES_RECEIVED).increment(bytes);
}

pub(crate) fn bytes_sent(bytes: u64) {
    counter!(BYTES_SENT).increment(bytes);
}

/// Counts a request whose work stopped before its end.
pub(crate) fn interrupted(reason: &'static str) {
    counter!(UPLOADS_INTERRUPTED, "reason" => reason).increment(1);
}

pub(crate) fn published(duration: Duration) {
    histogram!(PUBLICATION_SECONDS).record(duration.as_secs_f64());
}

/// Counts a refusal that concerns the client or a limit.
pub(crate) fn refused(reason: &'static str) {
    counter!(REQUESTS_REFUSED, "reason" => reason).increment(1);
}

/// Counts a session that has ended. Returns the reason.
pub(crate) fn session_ended(reason: Option<EndReason>) -> &'static str {
    let reason = match reason {
        Some(EndReason::Closed) => {
            counter!(UPLOADS_FINISHED).increment(1);
            return "closed";
        }
        Some(EndReason::ClosedIncomplete) => "incomplete",
        Some(EndReason::Cancelled) => "cancelled",
        Some(EndReason::TimedOut) => {
            counter!(SESSIONS_EXPIRED).increment(1);
            "expired"
        }
        Some(EndReason::EntityLost | EndReason::AcceptedEntityLost) => "lost",
        _ => "other",
    };
    counter!(UPLOADS_FAILED, "reason" => reason).increment(1);
    reason
}
