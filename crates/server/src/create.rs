//! Creation of sessions.

use std::error::Error;

use bits_proto::error::error_chain;
use bits_proto::field::RetryAfter;
use bits_proto::message::{Ack, Refusal, Request};
use bits_proto::server::{Access, HostError, Policy, RequestContext, Step};
use tracing::{Span, debug, error, field, warn};
use uuid::Uuid;

use crate::admission::Counts;
use crate::driver::{self, NextStep};
use crate::refusals::Refused;
use crate::server::Inner;
use crate::sessions::{SessionRecord, SessionStoreError};
use crate::storage::StorageError;
use crate::upload::Caller;
use crate::{InvalidKey, Key, metrics, random};

/// Time after which a client asks again for a session that a store could not create.
const CREATE_AGAIN: RetryAfter = RetryAfter::Seconds(10);

/// A refusal to create a session.
pub(crate) struct NotCreated {
    pub(crate) refusal: Refusal<'static>,
    /// The refusal for the log, unless a line about the failure was logged.
    pub(crate) refused: Option<Refused>,
}

impl NotCreated {
    fn failure(refusal: Refusal<'static>) -> Self {
        Self { refusal, refused: None }
    }

    fn refused(refusal: Refusal<'static>, reason: &dyn Error) -> Self {
        Self { refusal, refused: Refused::new(&refusal, Some(error_chain(reason))) }
    }

    fn unavailable(error: &dyn Error) -> Self {
        error!(error = %error_chain(error), "cannot create a session; the client is asked to retry");
        Self::failure(store_unavailable())
    }

    fn not_stored(error: &SessionStoreError, policy: &Policy<'_>) -> Self {
        match error {
            SessionStoreError::Full(_) => {
                let error_text = error_chain(error);
                error!(error = error_text, "cannot create a session; the client is asked to retry");
                Self::failure(error.refusal(policy))
            }
            _ => Self::unavailable(error),
        }
    }

    fn session_limit() -> Self {
        Self { refusal: Refusal::unavailable(), refused: Some(Refused::session_limit()) }
    }
}

impl Inner {
    /// Creates a session, and begins its staging.
    pub(crate) async fn create<'s>(
        &'s self,
        request: &Request<'_>,
        mut context: RequestContext<'_>,
        caller: &Caller<'_>,
    ) -> Result<NextStep<'s>, NotCreated> {
        let key = (self.destination)(caller.principal(), caller.path())
            .map_err(|why| NotCreated::refused(Refusal::invalid_name(), &why))?;
        context.access = self.access(&key).await?;
        let policy = self.policy();
        // In this order, and until the session is stored: see `Admissions`.
        let admission = self.admissions.enter(context.principal);
        let counts = self.counts(context.principal).await;
        let counts = counts.map_err(|error| NotCreated::unavailable(&error))?.plus(admission.ahead);
        let random = random::bytes().map_err(|error| NotCreated::unavailable(&error))?;
        let run = |is_taken| {
            let counts = (counts.all, counts.principal);
            driver::create(policy, self.session_limits, counts, is_taken, |sessions| {
                sessions.handle_request(request, &context, || random)
            })
        };
        let created = run(false);
        let Some(record) = created.record else {
            return if is_unavailable(&created.answer) {
                Err(NotCreated::session_limit())
            } else {
                Ok(created.answer)
            };
        };
        let id = record.session.id();
        Span::current().record("session", field::display(id));
        let key =
            self.key(key, id).map_err(|why| NotCreated::refused(Refusal::invalid_name(), &why))?;
        let staged = self.storage.begin(id, &key).await;
        let staged = staged
            .map_err(|error| self.unusable(&error, "cannot begin the staging of an upload"))?;
        let mut record = SessionRecord::new(record, key, staged);
        if let Some(data) = &self.session_data {
            record.data = data(caller.parts);
        }
        match self.sessions.insert(&record).await {
            Ok(true) => {
                self.check_limits(&record).await?;
                metrics::upload_started();
                debug!(key = %record.key, "session created");
                Ok(created.answer)
            }
            Ok(false) => Ok(run(true).answer),
            Err(error) => {
                // The store may have inserted the record before it failed. If this fails, the session expires.
                if self.withdraw(&record).await.is_err() {
                    let _ = self.storage.remove(id, Some(&record.staged)).await;
                }
                Err(NotCreated::not_stored(&error, &policy))
            }
        }
    }

    /// Returns the number of sessions, and of those of a principal.
    async fn counts(&self, principal: Option<&str>) -> Result<Counts, SessionStoreError> {
        let of_principal = match principal {
            Some(_) => self.sessions.count(principal).await?,
            None => 0,
        };
        Ok(Counts { all: self.sessions.count(None).await?, principal: of_principal })
    }

    /// Withdraws a new session if other servers have created sessions at the same time, so that a limit is
    /// exceeded. The last one of them counts all others.
    async fn check_limits(&self, record: &SessionRecord) -> Result<(), NotCreated> {
        if self.sessions.is_exclusive() {
            return Ok(());
        }
        let withdrawn = match self.counts(record.record.principal.as_deref()).await {
            Ok(counts) if !counts.exceed(&self.session_limits) => return Ok(()),
            Ok(_) => NotCreated::session_limit(),
            Err(error) => NotCreated::unavailable(&error),
        };
        if let Err(error) = self.withdraw(record).await {
            warn!(error = %error_chain(&error), "cannot remove a session that was refused; it expires");
        }
        Err(withdrawn)
    }

    async fn withdraw(&self, record: &SessionRecord) -> Result<(), SessionStoreError> {
        let id = record.id();
        if let Some(stored) = self.sessions.load(id).await? {
            self.sessions.remove(id, &stored.version).await?;
        }
        // If this fails, a sweep removes the staged data.
        let _ = self.storage.remove(id, Some(&record.staged)).await;
        Ok(())
    }

    /// Returns the access to the destination of a new session.
    async fn access(&self, key: &Key) -> Result<Access, NotCreated> {
        if self.keeps_every_upload {
            return Ok(Access::Granted);
        }
        match self.storage.metadata(key).await {
            Ok(None) => Ok(Access::Granted),
            Ok(Some(_)) => Ok(Access::GrantedOverExisting),
            Err(error) => Err(self.unusable(&error, "cannot look for the destination")),
        }
    }

    /// Returns the refusal for an error of the storage. `failure` says what the storage could not do.
    fn unusable(&self, error: &StorageError, failure: &str) -> NotCreated {
        let refusal = refusal_without_session(error.host_error(), &self.policy());
        if error.is_refusal() {
            return NotCreated::refused(refusal, error);
        }
        warn!(error = %error_chain(error), "{failure}");
        NotCreated::failure(refusal)
    }

    /// Returns the name of the entity of a session.
    fn key(&self, destination: Key, session: Uuid) -> Result<Key, InvalidKey> {
        if self.keeps_every_upload {
            format!("{destination}/{session}").parse()
        } else {
            Ok(destination)
        }
    }
}

/// Returns `true` for the response to a Create-Session beyond a limit of sessions.
fn is_unavailable(step: &NextStep<'_>) -> bool {
    let Step::Answer(answer) = step else { return false };
    matches!(answer.ack(), Ack::Refused(refusal) if refusal == Refusal::unavailable())
}

/// Returns the refusal of a session whose storage has failed. Nothing was stored yet, so nothing is lost.
fn refusal_without_session(error: HostError, policy: &Policy<'_>) -> Refusal<'static> {
    match error {
        HostError::Other | HostError::EntityLost => store_unavailable(),
        error => error.refusal(policy),
    }
}

/// Returns the refusal of a session while a store cannot be reached.
const fn store_unavailable() -> Refusal<'static> {
    Refusal::unavailable().with_retry_after(CREATE_AGAIN)
}
