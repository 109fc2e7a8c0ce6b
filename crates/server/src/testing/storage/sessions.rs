//! Removal of sessions.

use std::time::Duration;

use uuid::Uuid;

use super::checks::{complete, ensure_published, key, upload};
use super::{StorageCase, Storages};
use crate::BoxError;
use crate::storage::{Discarded, Storage};
use crate::testing::Upload;
use crate::testing::suite::{Outcome, cases, ensure};

pub(super) const CASES: &[StorageCase] = cases! {
    removal_may_be_repeated:
        "A session can be removed several times, also if it never began, and published entities remain.";
    sessions_without_records_are_listed_and_removed:
        "Sessions with staged data are listed, and removed without their description.";
    young_sessions_are_not_listed:
        "Sessions that are younger than the minimum age are not listed.";
};

async fn removal_may_be_repeated(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("removed")?;
    let published = upload(storage, &key, b"entity", false).await?;
    let mut staged = complete(storage, &key, b"entity").await?;
    for _ in 0..2 {
        published.remove(storage).await?;
        staged.remove(storage).await?;
        storage.remove(staged.session_id(), None).await?;
        storage.remove(Uuid::nil(), None).await?;
        let token = staged.token();
        storage.discard(token, &staged.staged(), Discarded::ALL).await?;
    }
    ensure_published(storage, &key, b"entity").await
}

async fn sessions_without_records_are_listed_and_removed(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("without")?;
    let other = &*storages.open().await?;
    let began = Upload::begin(storage, &key, 6).await?;
    let mut partial = Upload::begin(storage, &key, 6).await?;
    partial.send(storage, b"abc").await?;
    let complete = complete(storage, &key, b"entity").await?;
    for upload in [&began, &partial, &complete] {
        let is_listed = lists(other, upload, Duration::ZERO).await?;
        ensure!(is_listed, "a session with staged data is not listed");
    }
    for upload in [&began, &partial, &complete] {
        other.remove(upload.session_id(), None).await?;
        let is_listed = lists(storage, upload, Duration::ZERO).await?;
        ensure!(!is_listed, "a session is listed after its removal");
    }
    Ok(())
}

async fn young_sessions_are_not_listed(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("sessions")?;
    let began = Upload::begin(storage, &key, 6).await?;
    let mut partial = Upload::begin(storage, &key, 6).await?;
    partial.send(storage, b"abc").await?;
    for upload in [&began, &partial] {
        let is_listed = lists(storage, upload, Duration::from_secs(3600)).await?;
        ensure!(!is_listed, "a session that has just begun is listed as one hour old");
        upload.remove(storage).await?;
    }
    Ok(())
}

async fn lists(
    storage: &dyn Storage,
    upload: &Upload,
    min_age: Duration,
) -> Result<bool, BoxError> {
    Ok(storage.sessions(min_age).await?.contains(&upload.session_id()))
}
