//! The storage and the store of sessions that the command line names.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_proto::error::error_chain;
use bits_server::Builder;
use bits_server::sessions::{FileSessions, MemorySessions, ObjectSessions, RedisSessions};
use bits_server::storage::{FileStorage, MemoryStorage, ObjectStorage};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::MultipartStore;
use object_store::{ClientConfigKey, ObjectStore};
use tracing::{info, warn};
use url::Url;

use super::ServeArguments;
use crate::error::Failure;

/// A place that the command line names.
#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    Memory,
    Redis(String),
    Bucket(Bucket),
}

/// A bucket, with the prefix of all its keys.
#[derive(Clone)]
struct Bucket {
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    prefix: String,
}

impl Place {
    fn parse(option: &str, text: &str) -> Result<Self, Failure> {
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::Folder(text.into()));
        };
        match scheme {
            "redis" | "rediss" | "redis+unix" | "unix" => Ok(Self::Redis(text.into())),
            "s3" | "gs" | "az" => {
                let url = Url::parse(text).map_err(|error| usage(option, text, &error))?;
                Bucket::open(&url)
                    .map(Self::Bucket)
                    .map_err(|error| usage(option, text, &error_chain(&error)))
            }
            _ => Err(usage(
                option,
                text,
                &"unknown scheme; expected a folder, memory:, s3://, gs://, az://, redis:// or rediss://",
            )),
        }
    }
}

impl Bucket {
    /// Opens a bucket, with credentials from the environment.
    fn open(url: &Url) -> Result<Self, object_store::Error> {
        let prefix = url.path().trim_matches('/').to_owned();
        let mut origin = url.clone();
        origin.set_path("");
        let url = origin.as_str();
        Ok(match origin.scheme() {
            "gs" => Self::new(GoogleCloudStorageBuilder::from_env().with_url(url).build()?, prefix),
            "az" => Self::new(MicrosoftAzureBuilder::from_env().with_url(url).build()?, prefix),
            _ => {
                let store = AmazonS3Builder::from_env().with_url(url);
                check_encryption(&store)?;
                Self::new(store.with_conditional_put(S3ConditionalPut::ETagMatch).build()?, prefix)
            }
        })
    }

    fn new<S: ObjectStore + MultipartStore>(store: S, prefix: String) -> Self {
        let store = Arc::new(store);
        Self { objects: Arc::clone(&store) as _, parts: store, prefix }
    }

    fn storage(&self) -> ObjectStorage {
        let (objects, parts) = (Arc::clone(&self.objects), Arc::clone(&self.parts));
        ObjectStorage::from_shared(objects, parts).prefix(&self.prefix)
    }

    fn sessions(&self) -> ObjectSessions {
        ObjectSessions::from_shared(Arc::clone(&self.objects)).prefix(&self.prefix)
    }
}

/// Fails for an endpoint with http unless that is allowed: otherwise, each request would fail later.
fn check_encryption(store: &AmazonS3Builder) -> Result<(), object_store::Error> {
    let endpoint = store.get_config_value(&AmazonS3ConfigKey::Endpoint).unwrap_or_default();
    let allows = AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp);
    let is_allowed = store.get_config_value(&allows).is_some_and(|it| it == "true");
    if is_allowed || !endpoint.starts_with("http://") {
        return Ok(());
    }
    let reason = format!(
        "endpoint {endpoint} is not encrypted; set AWS_ALLOW_HTTP=true if that is intended"
    );
    Err(object_store::Error::Generic { store: "S3", source: reason.into() })
}

/// Sets the storage and the store of sessions.
///
/// # Errors
///
/// The option with the reason.
pub async fn open(builder: Builder, arguments: &ServeArguments) -> Result<Builder, Failure> {
    let storage = Place::parse("--storage", &arguments.storage)?;
    let named = arguments.sessions.as_deref();
    let sessions = match named.map(|text| Place::parse("--sessions", text)).transpose()? {
        Some(sessions) => sessions,
        None => default_sessions(&storage)?,
    };
    let builder = match storage {
        Place::Folder(root) => folder(builder, &root, &sessions, arguments)?,
        Place::Memory => builder.storage(MemoryStorage::new()),
        Place::Bucket(bucket) => builder.storage(bucket.storage()),
        Place::Redis(url) => {
            return Err(usage(
                "--storage",
                &shown(&url),
                &"Redis stores sessions only: see --sessions",
            ));
        }
    };
    Ok(match sessions {
        Place::Folder(path) => {
            let path = path.join("sessions");
            let opened = FileSessions::open(&path);
            let sessions = opened.map_err(|error| failed("--sessions", &path.display(), &error))?;
            for record in sessions.unreadable() {
                warn!(?record, "a session cannot be continued, because its record is unreadable");
            }
            builder.sessions(sessions.fsync(arguments.fsync))
        }
        Place::Memory => builder.sessions(MemorySessions::new()),
        Place::Bucket(bucket) => builder.sessions(bucket.sessions()),
        Place::Redis(url) => {
            let connected = RedisSessions::connect(&url).await;
            builder.sessions(connected.map_err(|error| failed("--sessions", &shown(&url), &error))?)
        }
    })
}

/// Opens a folder of files. If the sessions are in a folder too, this process is the only user of both.
fn folder(
    builder: Builder,
    root: &Path,
    sessions: &Place,
    arguments: &ServeArguments,
) -> Result<Builder, Failure> {
    let mut options = FileStorage::options()
        .fsync(arguments.fsync)
        // With --keep-every-upload, the path of a URL becomes a folder with all uploads to it.
        .create_folders(arguments.create_folders || arguments.keep_every_upload);
    let explain = |error| failed("--storage", &root.display(), &error);
    create_root(root).map_err(explain)?;
    if let Place::Folder(path) = sessions {
        std::fs::create_dir_all(path)
            .map_err(|error| failed("--sessions", &path.display(), &error))?;
        options =
            options.staging(arguments.staging.clone().unwrap_or_else(|| path.join("staging")));
        return Ok(builder.storage(options.open(root).map_err(explain)?));
    }
    if let Some(staging) = &arguments.staging {
        options = options.staging(staging);
    }
    Ok(match sessions {
        Place::Memory => builder.storage(options.open(root).map_err(explain)?),
        _ => builder.storage(options.open_shared(root).map_err(explain)?),
    })
}

/// Creates the folder of the files if it is missing, and reports that: its name may be a typing error. The folders of
/// sessions beside it do not create its parent.
fn create_root(root: &Path) -> io::Result<()> {
    match std::fs::create_dir(root) {
        Ok(()) => {
            info!("created folder {}, which did not exist", root.display());
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            Err(io::Error::new(error.kind(), format!("cannot create the folder: {error}")))
        }
    }
}

/// Returns the default place of the sessions for a storage.
fn default_sessions(storage: &Place) -> Result<Place, Failure> {
    let Place::Folder(root) = storage else { return Ok(storage.clone()) };
    // A link may lead to another file system.
    let path = std::fs::canonicalize(root).unwrap_or_else(|_| root.clone());
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        usage(
            "--storage",
            &root.display(),
            &"it has no parent folder; name a folder with --sessions",
        )
    })?;
    Ok(Place::Folder(path.with_file_name(format!(".{name}.bits-sessions"))))
}

/// Returns a URL without its password.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        // An invalid URL may have a password too.
        return url.rsplit_once('@').map_or(url, |(_, place)| place).into();
    };
    if url.password().is_some() {
        // Fails only for URLs that cannot have one.
        let _ = url.set_password(Some("..."));
    }
    url.into()
}

fn usage(option: &str, value: &(impl Display + ?Sized), reason: &dyn Display) -> Failure {
    Failure::usage(format!("{option} {value}: {reason}"))
}

fn failed(option: &str, value: &dyn Display, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::failed(format!("{option} {value}: {}", error_chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("redis://user:secret@host:6379/1"), "redis://user:...@host:6379/1");
        assert_eq!(shown("redis://user:secret@host:99999/1"), "host:99999/1");
        assert_eq!(shown("redis://host:6379/1"), "redis://host:6379/1");
    }
}
