//! Keys: every valid key names an entity, and only that one.

use uuid::Uuid;

use super::checks::{complete, ensure_absent, ensure_published, key, upload};
use super::{StorageCase, Storages};
use crate::storage::{Storage, StorageError};
use crate::testing::suite::{Outcome, cases, ensure};
use crate::{BoxError, Key};

pub(super) const CASES: &[StorageCase] = cases! {
    names_may_have_any_valid_characters:
        "Spaces, parentheses, percent signs and letters of all languages are valid in names.";
    similar_names_are_different_entities:
        "Names that differ in an escape, a dot or a length are names of different entities.";
    folders_may_be_part_of_a_key:
        "Entities in folders are published if their folder exists or is created, else it is `Denied`.";
    a_folder_is_not_replaced_by_an_entity:
        "If an entity is the folder of another one, both are readable, or the second is rejected.";
};

async fn names_may_have_any_valid_characters(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let unique = key("")?;
    let names = [
        "Bericht (2). Entwurf, $Größe & more",
        "日本語 ログ",
        "100% of a+b=c; d@e!'~^{}[]#`",
        "%2e%2e%2f",
        "..a..b",
        "\u{1F600} emoji",
        // One letter, and a letter with a combining character.
        "\u{e9}",
        "e\u{301}",
    ];
    for name in names {
        let key: Key = format!("{name}{unique}").parse()?;
        ensure_absent(storage, &key).await?;
        upload(storage, &key, name.as_bytes(), false).await?.remove(storage).await?;
        ensure_published(storage, &key, name.as_bytes()).await?;
    }
    let longest: Key = format!("{}{unique}", "n".repeat(255 - unique.as_str().len())).parse()?;
    upload(storage, &longest, b"longest name", false).await?.remove(storage).await?;
    ensure_published(storage, &longest, b"longest name").await
}

async fn similar_names_are_different_entities(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let base = key("similar")?;
    let keys = ["", ".1", "%", "%20", " x", "+x", "-", "--"]
        .map(|end| format!("{base}{end}").parse::<Key>());
    for key in &keys {
        let key = key.as_ref().map_err(|error| *error)?;
        ensure_absent(storage, key).await?;
        upload(storage, key, key.as_str().as_bytes(), false).await?.remove(storage).await?;
    }
    for key in keys {
        let key = key?;
        ensure_published(storage, &key, key.as_str().as_bytes()).await?;
    }
    Ok(())
}

async fn folders_may_be_part_of_a_key(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key: Key = format!("{}/logs (2)/Größe/today.zip", key("machine")?).parse()?;
    match storage.metadata(&key).await {
        // The storage creates no folders.
        Err(StorageError::Denied(_)) => {
            let begun = storage.begin(Uuid::max(), &key).await;
            let is_denied = matches!(begun, Err(StorageError::Denied(_)));
            ensure!(is_denied, "expected `Denied`, got {begun:?}");
            Ok(())
        }
        metadata => {
            ensure!(metadata?.is_none(), "there is metadata before publication");
            upload(storage, &key, b"entity", false).await?.remove(storage).await?;
            ensure_published(storage, &key, b"entity").await
        }
    }
}

async fn a_folder_is_not_replaced_by_an_entity(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    for replaces in [false, true] {
        let outer = key("outer")?;
        let inner: Key = format!("{outer}/inner").parse()?;
        add(storage, &outer, &inner, replaces).await?;
        let outer = key("folder")?;
        let inner: Key = format!("{outer}/inner").parse()?;
        // If the first one is denied, the second one has no folder to conflict with.
        if !matches!(storage.metadata(&inner).await, Err(StorageError::Denied(_))) {
            add(storage, &inner, &outer, replaces).await?;
        }
    }
    Ok(())
}

/// Publishes one entity and then another one, if that is possible. The first one must not change.
async fn add(storage: &dyn Storage, first: &Key, second: &Key, replaces: bool) -> Outcome {
    upload(storage, first, b"first", false).await?.remove(storage).await?;
    if let Err(error) = storage.metadata(second).await {
        let is_denied = matches!(error, StorageError::IsFolder | StorageError::Denied(_));
        ensure!(is_denied, "{second}: expected `IsFolder` or `Denied`, got {error:?}");
        return ensure_published(storage, first, b"first").await;
    }
    let mut upload = complete(storage, second, b"second").await?;
    let publication = upload.publication().with_replaces(replaces);
    match storage.publish(publication).await {
        Ok(_) => ensure_published(storage, second, b"second").await?,
        Err(StorageError::IsFolder | StorageError::Denied(_) | StorageError::Exists) => {}
        Err(error) => return Err(BoxError::from(format!("{second}: {error:?}"))),
    }
    upload.remove(storage).await?;
    ensure_published(storage, first, b"first").await
}
