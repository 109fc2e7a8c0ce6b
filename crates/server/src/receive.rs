//! Storage of the body of a fragment.

use bits_proto::server::{Step, StoreBytes, WorkToken};
use tokio::time::Instant;
use tracing::debug;

use crate::body::{End, Received};
use crate::storage::{StorageError, Write, Writer};
use crate::work::{Renewal, SessionJournal, StepResult, Stop, Work};

/// Bytes that were passed to the storage since the last report.
struct Batch {
    bytes: u64,
    /// The body ended early.
    end: Option<End>,
}

impl<'s> Work<'s, '_> {
    /// Stores the new bytes of a fragment, and reports them piece by piece: reported bytes are kept if the
    /// connection breaks.
    pub(crate) async fn store(&mut self, bytes: &StoreBytes) -> StepResult<'s> {
        let StoreBytes { token, skip, offset, take, .. } = *bytes;
        self.skip(token, skip).await?;
        let mut writer = match self.writer(token, offset).await? {
            Ok(writer) => writer,
            Err(error) => return self.failed(token, &error).await,
        };
        let limits = self.inner.storage.flush_limits();
        let mut left = take;
        loop {
            let batch = match self.receive(token, &mut *writer, left.min(limits.bytes)).await? {
                Ok(batch) => batch,
                Err(error) => return self.failed(token, &error).await,
            };
            if batch.bytes > 0 {
                let staged =
                    match self.while_renewing(token, Renewal::Store, writer.flush()).await? {
                        Ok(staged) => staged,
                        Err(error) => return self.failed(token, &error).await,
                    };
                let step = self.report_stored(token, batch.bytes, &staged).await?;
                left = left.saturating_sub(batch.bytes);
                if !matches!(step, Step::Store(_)) {
                    debug!(first = offset, bytes = take, "fragment stored");
                    return Ok(step);
                }
            }
            if let Some(end) = batch.end {
                return Err(Stop::Body(end));
            }
        }
    }

    /// Opens the staged entity at the offset of its next byte.
    async fn writer(
        &self,
        token: WorkToken,
        offset: u64,
    ) -> Result<Result<Box<dyn Writer>, StorageError>, Stop> {
        let record = self.record().await?;
        let journal =
            SessionJournal { inner: self.inner.clone(), handle: self.handle()?.clone(), token };
        let write = Write {
            token,
            offset,
            total: record.record.session.total().unwrap_or_default(),
            staged: record.staged,
            journal: Box::new(journal),
        };
        self.while_renewing(token, Renewal::Store, self.inner.storage.write(write)).await
    }

    /// Passes bytes of the body to the storage: at most `most`, and fewer if they arrive slowly.
    async fn receive(
        &mut self,
        token: WorkToken,
        writer: &mut dyn Writer,
        most: u64,
    ) -> Result<Result<Batch, StorageError>, Stop> {
        let limit = self.inner.storage.flush_limits().time;
        let interval = limit.min(self.policy().store_timeout / 4);
        let mut batch = Batch { bytes: 0, end: None };
        let mut pause = None;
        while batch.bytes < most {
            match self.body.next(most - batch.bytes, pause).await {
                Received::Bytes(bytes) => {
                    batch.bytes += bytes.len() as u64;
                    pause.get_or_insert_with(|| Instant::now() + interval);
                    let written = writer.write(bytes);
                    if let Err(error) = self.while_renewing(token, Renewal::Store, written).await? {
                        return Ok(Err(error));
                    }
                }
                Received::Pause => break,
                Received::End(end) => {
                    batch.end = Some(end);
                    break;
                }
            }
        }
        Ok(Ok(batch))
    }

    /// Drops bytes that were received before, and postpones the timeout of the work meanwhile.
    async fn skip(&mut self, token: WorkToken, mut skip: u64) -> Result<(), Stop> {
        let interval = self.policy().store_timeout / 4;
        let mut renewed = Instant::now();
        while skip > 0 {
            match self.body.next(skip, None).await {
                Received::Bytes(bytes) => skip = skip.saturating_sub(bytes.len() as u64),
                Received::Pause => {}
                Received::End(end) => return Err(Stop::Body(end)),
            }
            if renewed.elapsed() > interval {
                self.renew(token, Renewal::Store).await?;
                renewed = Instant::now();
            }
        }
        Ok(())
    }
}
