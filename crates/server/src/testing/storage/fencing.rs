//! Fencing: requests that stall and continue late change nothing that counts.

use bits_proto::server::WorkToken;
use bytes::Bytes;

use super::checks::{complete, ensure_absent, ensure_published, key, upload};
use super::{StorageCase, Storages};
use crate::BoxError;
use crate::Key;
use crate::storage::{Discarded, Publish, Storage, Writer};
use crate::testing::Upload;
use crate::testing::suite::{Outcome, cases};

pub(super) const CASES: &[StorageCase] = cases! {
    a_late_write_changes_nothing:
        "A writer of an older token changes no acknowledged and no published bytes.";
    a_late_flush_changes_nothing:
        "A flush of an older token changes no acknowledged and no published bytes.";
    a_late_writer_changes_nothing:
        "A writer that is opened with an older token changes no acknowledged and no published bytes.";
    a_late_publication_changes_nothing:
        "A publication with an older token replaces no later entity and publishes no discarded one.";
    a_late_discard_changes_nothing:
        "A discard with an older token deletes no published entity.";
};

const ENTITY: &[u8] = b"0123456789ab";

/// A request that stalls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Late {
    Write,
    Flush,
    Open,
    Publish,
    Discard,
}

/// The time at which it continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// A later request has opened a writer, and has acknowledged nothing yet.
    Open,
    /// A later request has acknowledged bytes.
    Acknowledged,
    /// All bytes are acknowledged.
    Complete,
    /// A later request has published the entity.
    Published,
    /// Another session has replaced the entity afterwards.
    Replaced,
    /// A later request has discarded the entity.
    Discarded,
    /// The session was removed after that.
    Removed,
}

const WRITING: [Moment; 3] = [Moment::Open, Moment::Acknowledged, Moment::Complete];
const ENDING: [Moment; 4] =
    [Moment::Published, Moment::Replaced, Moment::Discarded, Moment::Removed];

async fn a_late_write_changes_nothing(storages: Storages) -> Outcome {
    test_writing(&storages, Late::Write).await
}

async fn a_late_flush_changes_nothing(storages: Storages) -> Outcome {
    test_writing(&storages, Late::Flush).await
}

async fn a_late_writer_changes_nothing(storages: Storages) -> Outcome {
    test_writing(&storages, Late::Open).await
}

async fn a_late_publication_changes_nothing(storages: Storages) -> Outcome {
    test_ending(&storages, Late::Publish).await
}

async fn a_late_discard_changes_nothing(storages: Storages) -> Outcome {
    test_ending(&storages, Late::Discard).await
}

/// Stalls a request that writes, and continues it while a later one writes.
async fn test_writing(storages: &Storages, late: Late) -> Outcome {
    for moment in WRITING.into_iter().chain(ENDING) {
        let storage = &*storages.open().await?;
        let other = &*storages.open().await?;
        let key = key("late")?;
        let mut upload = Upload::begin(storage, &key, ENTITY.len() as u64).await?;
        upload.send(storage, &ENTITY[..4]).await?;
        let mut stalled = Stalled::begin(storage, &mut upload, late).await?;

        let token = upload.token();
        let mut writer = upload.writer(other, token, upload.acknowledged()).await?;
        stalled.continue_if(moment == Moment::Open, storage, &upload).await;
        writer.write(Bytes::from_static(&ENTITY[4..8])).await?;
        let flushed = writer.flush().await?;
        upload.acknowledge(&flushed, 4)?;
        stalled.continue_if(moment == Moment::Acknowledged, storage, &upload).await;
        writer.write(Bytes::from_static(&ENTITY[8..])).await?;
        let flushed = writer.flush().await?;
        upload.acknowledge(&flushed, 4)?;
        stalled.continue_if(moment == Moment::Complete, storage, &upload).await;
        drop(writer);
        end(other, storage, &key, upload, stalled, moment)
            .await
            .map_err(|error| format!("{moment:?}: {error}"))?;
    }
    Ok(())
}

/// Stalls a request that ends the session, and continues it after a later one has ended the session.
async fn test_ending(storages: &Storages, late: Late) -> Outcome {
    for moment in ENDING {
        let storage = &*storages.open().await?;
        let other = &*storages.open().await?;
        let key = key("late")?;
        let mut upload = complete(storage, &key, ENTITY).await?;
        let stalled = Stalled::begin(storage, &mut upload, late).await?;
        end(other, storage, &key, upload, stalled, moment)
            .await
            .map_err(|error| format!("{moment:?}: {error}"))?;
    }
    Ok(())
}

/// Ends the session of a complete entity, and continues the stalled request meanwhile.
async fn end(
    storage: &dyn Storage,
    node: &dyn Storage,
    key: &Key,
    mut session: Upload,
    mut stalled: Stalled,
    moment: Moment,
) -> Outcome {
    let discards = matches!(moment, Moment::Discarded | Moment::Removed);
    if discards {
        let token = session.token();
        storage.discard(token, &session.staged(), Discarded::ALL).await?;
        stalled.continue_if(moment == Moment::Discarded, node, &session).await;
        session.remove(storage).await?;
        stalled.continue_if(moment == Moment::Removed, node, &session).await;
        return ensure_absent(storage, key).await;
    }
    let publication = session.publication().with_replaces(true);
    storage.publish(publication).await?;
    stalled.continue_if(moment == Moment::Published, node, &session).await;
    ensure_published(storage, key, ENTITY).await?;
    session.remove(storage).await?;
    ensure_published(storage, key, ENTITY).await?;
    let replacement = b"another entity";
    let other = upload(storage, key, replacement, true).await?;
    stalled.continue_if(moment == Moment::Replaced, node, &session).await;
    ensure_published(storage, key, replacement).await?;
    Ok(other.remove(storage).await?)
}

/// A request that stalls, with all that it knows.
struct Stalled {
    late: Late,
    token: WorkToken,
    writer: Option<Box<dyn Writer>>,
    publication: Publish,
}

impl Stalled {
    /// Begins the request, up to the point where it stalls.
    async fn begin(
        storage: &dyn Storage,
        upload: &mut Upload,
        late: Late,
    ) -> Result<Self, BoxError> {
        let publication = upload.publication().with_replaces(true);
        let token = publication.token;
        let mut writer = None;
        if matches!(late, Late::Write | Late::Flush) {
            writer = Some(upload.writer(storage, token, upload.acknowledged()).await?);
        }
        if let (Late::Flush, Some(writer)) = (late, &mut writer) {
            writer.write(Bytes::from_static(b"late bytes that were not flushed")).await?;
        }
        Ok(Self { late, token, writer, publication })
    }

    /// Continues the request, if it is time. Its result does not matter.
    async fn continue_if(&mut self, is_time: bool, storage: &dyn Storage, upload: &Upload) {
        if !is_time {
            return;
        }
        if self.late == Late::Open {
            self.writer = upload.writer(storage, self.token, 4).await.ok();
        }
        if let (Late::Write | Late::Open, Some(writer)) = (self.late, &mut self.writer) {
            let _ = writer.write(Bytes::from_static(b"late bytes, more than the entity")).await;
        }
        if let Some(writer) = &mut self.writer {
            let _ = writer.flush().await;
        }
        match self.late {
            Late::Publish => drop(storage.publish(self.publication.clone()).await),
            Late::Discard => {
                let staged = &self.publication.staged;
                drop(storage.discard(self.token, staged, Discarded::ALL).await);
            }
            Late::Write | Late::Flush | Late::Open => {}
        }
    }
}
