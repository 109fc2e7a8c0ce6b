//! The identity of an upload in the state file of `--resume`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bits_proto::client::Mode;
use bits_proto_programs::client::http_url::HttpUrl;
use bits_proto_programs::client::state_file;
use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::failure::Result;

/// Version of the file format.
const FORMAT: u32 = 1;

/// Identifies an upload. A process continues only an upload with an equal `Job`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    #[serde(rename = "form")]
    format: u32,
    url: String,
    file: PathBuf,
    length: u64,
    /// Time of the last modification since the Unix epoch.
    modified: Duration,
    mode: Mode,
}

impl Job {
    pub fn new(destination: &HttpUrl, entity: &Entity, mode: Mode) -> Result<Self> {
        let version = entity.version();
        let modified = version.modified.duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            format: FORMAT,
            url: destination.as_str().into(),
            file: entity.path().into(),
            length: version.length,
            // A time before 1970 counts as 1970.
            modified: modified.unwrap_or_default(),
            mode,
        })
    }
}

impl state_file::Job for Job {
    const NAME: &'static str = "upload";

    fn difference(&self, other: &Self) -> Option<String> {
        if self.format != other.format {
            return Some(format!("has format {}, expected {}", other.format, self.format));
        }
        if self.url != other.url {
            return Some(format!("belongs to an upload to {}", other.url));
        }
        if self.file != other.file {
            return Some(format!("belongs to an upload of {}", other.file.display()));
        }
        if self.length != other.length || self.modified != other.modified {
            let (then, now) = (other.length, self.length);
            let file = self.file.display();
            return Some(format!(
                "belongs to a version of {file} from before its modification ({then} bytes then, \
                 {now} now)"
            ));
        }
        (self.mode != other.mode).then(|| match other.mode {
            Mode::Upload => "belongs to an upload without --reply".into(),
            _ => "belongs to an upload with --reply".into(),
        })
    }
}
