//! Notification of a server application, by value or by reference.
//!
//! An application that has accepted an entity must not get it again. So the acceptance is recorded in the
//! session before anything else can fail.

mod exchange;
mod tls;

use std::time::Duration;

use bits_proto::backend::{self, AcceptedStatuses, NotificationType, Outcome, Poll, Timeouts};
use bits_proto::error::error_chain;
use bits_proto::field::ReplyUrl;
use bits_proto::server::{HostError, Notified, Reply, Step, WorkToken};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use self::exchange::Exchange;
use crate::BoxError;
use crate::driver::{DriverError, NextStep, OneSession, now};
use crate::storage::{Discarded, StorageError};
use crate::work::{Renewal, StepResult, Stop, Work};

/// Delay before an acceptance that could not be recorded is recorded again.
const RECORD_INTERVAL: Duration = Duration::from_secs(1);

/// A server application that is notified of complete uploads over HTTP.
///
/// By default it receives each entity as the body of a request, and any 2xx status accepts it. A reply in
/// its response is stored, and the client downloads it.
///
/// # Example
///
/// ```
/// use bits_server::Notify;
///
/// let by_value = Notify::new("http://127.0.0.1:8080/uploads");
/// let by_reference = Notify::new("http://127.0.0.1:8080/uploads").by_reference(true).require_200(true);
/// ```
///
/// Source: \[MC-BUP\] 3.3.
#[derive(Clone, Debug)]
#[must_use]
pub struct Notify {
    url: String,
    kind: NotificationType,
    accepted_statuses: AcceptedStatuses,
    timeouts: Timeouts,
    ca_certificates: Vec<Vec<u8>>,
}

/// A server application whose settings are valid.
#[derive(Debug)]
pub(crate) struct Application {
    url: Url,
    client: reqwest::Client,
    kind: NotificationType,
    accepted_statuses: AcceptedStatuses,
    timeouts: Timeouts,
}

impl Notify {
    /// Creates an application at an http or https URL. [`Builder::build`](crate::Builder::build) fails if the URL
    /// is invalid.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            kind: NotificationType::ByValue,
            accepted_statuses: AcceptedStatuses::AnySuccess,
            timeouts: Timeouts::DEFAULT,
            ca_certificates: Vec::new(),
        }
    }

    /// Sends the path of the entity instead of the entity. The storage must keep files, and the application
    /// must be able to open them. Default: `false`.
    pub fn by_reference(mut self, by_reference: bool) -> Self {
        self.kind =
            if by_reference { NotificationType::ByReference } else { NotificationType::ByValue };
        self
    }

    /// Requires the status 200, as Microsoft documents, instead of any 2xx. Default: `false`.
    pub fn require_200(mut self, require: bool) -> Self {
        self.accepted_statuses =
            if require { AcceptedStatuses::OnlyOk } else { AcceptedStatuses::AnySuccess };
        self
    }

    /// Sets the timeouts. Default: [`Timeouts::DEFAULT`].
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Trusts these certificates in PEM format, instead of those of the system. Can be called several times.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates.push(pem.into());
        self
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns `true` if the entity is sent.
    pub(crate) fn is_by_value(&self) -> bool {
        self.kind == NotificationType::ByValue
    }

    /// Checks the settings.
    pub(crate) fn into_application(self) -> Result<Application, BoxError> {
        let url = Url::parse(&self.url)?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err("expected an http or https URL such as http://host:8080/path".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials in the URL are not supported".into());
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&self.ca_certificates)?)
            .redirect(Policy::none())
            .http1_only()
            .http1_title_case_headers()
            .no_proxy()
            .build()?;
        Ok(Application {
            url,
            client,
            kind: self.kind,
            accepted_statuses: self.accepted_statuses,
            timeouts: self.timeouts,
        })
    }
}

impl<'s> Work<'s, '_> {
    /// Notifies the application, keeps its reply, and reports both to the session.
    pub(crate) async fn notify_application(
        &mut self,
        token: WorkToken,
        application: &Application,
    ) -> StepResult<'s> {
        let mut exchange = match self.prepare(token, application).await? {
            Ok(exchange) => exchange,
            Err(error) => return self.failed(token, &error).await,
        };
        let mut is_recorded = false;
        let interval = Renewal::Work.interval(&self.policy());
        let mut renewed = Instant::now();
        loop {
            let poll = exchange.notification.poll();
            match (poll, exchange.notification.copy_to_destination()) {
                (Poll::Complete(outcome), _) => {
                    let has_reply = !matches!(outcome.reply, backend::Reply::None);
                    let publishes = outcome.copy_to_destination;
                    info!(publishes, has_reply, "application notified");
                    return self.after_notification(token, exchange, outcome, is_recorded).await;
                }
                (Poll::Failed(error), _) => {
                    warn!(bytes = self.stored, %error, "notification of the application failed");
                    crate::metrics::interrupted("application");
                    let error =
                        HostError::Application { status: error.status(), code: Some(error.code()) };
                    return self.report(|it| Ok(it.handle_failed(token, error)?)).await;
                }
                (_, Some(copy)) if !is_recorded => {
                    let accepted =
                        |it: &mut OneSession<'s>| Ok(it.handle_accepted(token, copy, now())?);
                    match self.record_acceptance(accepted).await {
                        Ok(Step::KeepReply(_)) => is_recorded = true,
                        // Another request has taken over.
                        ended => return ended,
                    }
                }
                (poll, _) => {
                    self.while_renewing(token, Renewal::Work, exchange.advance(poll)).await?;
                    // Many short steps take long together.
                    if renewed.elapsed() >= interval {
                        self.try_renew(token, Renewal::Work).await;
                        renewed = Instant::now();
                    }
                }
            }
        }
    }

    async fn prepare<'n>(
        &mut self,
        token: WorkToken,
        application: &'n Application,
    ) -> Result<Result<Exchange<'n>, StorageError>, Stop> {
        let record = self.record().await?;
        let inner = self.inner;
        let length = record.record.session.total().unwrap_or_default();
        let prepared = async {
            inner.storage.discard(token, &record.staged, Discarded::REPLY).await?;
            let original = inner.urls.original(self.caller.parts);
            // Final: the request would have no valid host when it is repeated either.
            let original = original
                .ok_or_else(|| StorageError::Denied(Some("request without a valid host".into())))?;
            Exchange::new(application, inner, token, &record.staged, length, original).await
        };
        self.while_renewing(token, Renewal::Work, prepared).await
    }

    async fn after_notification(
        &mut self,
        token: WorkToken,
        mut exchange: Exchange<'_>,
        outcome: Outcome,
        is_recorded: bool,
    ) -> StepResult<'s> {
        let reply = match outcome.reply {
            backend::Reply::Static => Reply::Static,
            backend::Reply::Body { .. } => match exchange.finish_reply().await {
                Ok(()) => Reply::Kept,
                Err(error) => {
                    warn!(error = %error_chain(&error), "the application accepted the entity, and its reply is lost");
                    Reply::None
                }
            },
            backend::Reply::File { .. } => Reply::Kept,
            backend::Reply::Lost(error) => {
                warn!(%error, "the application accepted the entity, and its reply is lost");
                if exchange.notification.kind() == NotificationType::ByReference {
                    // The client's next request looks for the file again.
                    return self.report(|it| Ok(it.handle_failed(token, HostError::Other)?)).await;
                }
                Reply::None
            }
            _ => Reply::None,
        };
        let url = exchange.url.take();
        if is_recorded {
            return self.report_reply(token, reply, url.as_deref()).await;
        }
        let notified = Notified::new(outcome.copy_to_destination, reply);
        self.record_acceptance(|it| {
            let url = url.as_deref().and_then(|url| ReplyUrl::try_from(url).ok());
            Ok(it.handle_notified(token, notified, url, now())?)
        })
        .await
    }

    /// Records an acceptance. If it cannot be stored, it is stored later, and the session stays busy meanwhile.
    async fn record_acceptance(
        &mut self,
        report: impl Fn(&mut OneSession<'s>) -> Result<NextStep<'s>, DriverError>,
    ) -> StepResult<'s> {
        loop {
            match self.report(&report).await {
                Err(Stop::Session(error @ (DriverError::Store(_) | DriverError::Contention))) => {
                    error!(error = %error_chain(&error), "cannot record the acceptance of the application; trying again");
                    sleep(RECORD_INTERVAL).await;
                }
                recorded => return recorded,
            }
        }
    }
}
