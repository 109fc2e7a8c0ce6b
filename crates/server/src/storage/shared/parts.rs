//! Parts of an entity: the bytes that one work token stored.
//!
//! No list of the acknowledged bytes is necessary. Every token starts at the acknowledged offset. So the bytes
//! from one such offset to the next are in the part of the last token that started there. Further bytes of a
//! part were never acknowledged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use bits_proto::server::WorkToken;
use cap_std::fs::{Dir, OpenOptions};
use uuid::Uuid;

use super::claim;
use crate::storage::file::{Folders, remove, sync_dir};
use crate::storage::{Result, StorageError};

/// Folder of a session's parts until a token claims it.
pub(super) const PARTS: &str = "parts";

/// The number of the last work token at each offset.
struct Parts(BTreeMap<u64, u32>);

/// Creates the folder of parts. It is created here only, so a request that resumes after the end of the session
/// does not find it.
pub(super) fn create_folder(folders: &Folders, session: Uuid) -> Result<()> {
    folders.staging.create_dir(format!("{session}/{PARTS}")).map_err(StorageError::other)?;
    if folders.syncs {
        sync_dir(&folders.staging.open_dir(session.to_string())?)?;
    }
    Ok(())
}

/// Creates the file for the bytes that a work token stores from offset `first` on.
pub(super) fn create(folders: &Folders, token: WorkToken, first: u64) -> Result<File> {
    let session = token.session_id();
    let path = format!("{session}/{PARTS}/{}", name(first, token.number()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let part = folders.staging.open_with(path, &options).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => claim::missing(folders, token, error),
        // A token is issued twice only by a session store that lost a confirmed change. `Exists` would mean an
        // entity.
        io::ErrorKind::AlreadyExists => StorageError::other(error),
        _ => error.into(),
    })?;
    if folders.syncs {
        sync_dir(&folders.staging.open_dir(format!("{session}/{PARTS}"))?)?;
    }
    Ok(part.into_std())
}

/// Concatenates the acknowledged bytes of all parts in a folder. `io::copy` lets the system copy them, if it can.
pub(super) fn concatenate(folder: &Dir, to: &str, total: u64) -> Result<()> {
    let Parts(parts) = Parts::read(folder)?;
    let mut entity = folder.create(to)?.into_std();
    let mut offset = 0;
    let ends = parts.keys().skip(1).copied().chain([total]);
    for ((first, token), end) in parts.iter().zip(ends) {
        if *first != offset {
            break;
        }
        let part = folder.open(name(*first, *token))?.into_std();
        offset += io::copy(&mut part.take(end.saturating_sub(offset)), &mut entity)?;
    }
    if offset != total {
        let message = format!("{offset} of {total} bytes are left");
        return Err(StorageError::Lost(Some(message.into())));
    }
    Ok(entity.sync_all()?)
}

/// Removes all parts in a folder.
pub(super) fn remove_all(folder: &Dir) -> Result<()> {
    for name in names(folder)?.iter().filter(|name| parse(name).is_some()) {
        remove(folder, name)?;
    }
    Ok(())
}

impl Parts {
    fn read(folder: &Dir) -> Result<Self> {
        let mut parts = BTreeMap::new();
        for (first, token) in names(folder)?.iter().filter_map(|name| parse(name)) {
            let last = parts.entry(first).or_insert(token);
            *last = token.max(*last);
        }
        Ok(Self(parts))
    }
}

fn name(first: u64, token: u32) -> String {
    format!("{first:020}-{token:010}")
}

fn parse(name: &str) -> Option<(u64, u32)> {
    let (first, token) = name.split_once('-')?;
    Some((first.parse().ok()?, token.parse().ok()?))
}

/// Returns the names in a folder.
pub(super) fn names(folder: &Dir) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.entries()? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}
