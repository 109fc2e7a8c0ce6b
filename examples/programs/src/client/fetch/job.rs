//! The identity of a download in its state file.

use bits_proto::download::ByteRange;
use serde::{Deserialize, Serialize};

use crate::client::http_url::HttpUrl;
use crate::client::state_file::Job;

/// Version of the file format.
const FORMAT: u32 = 1;

/// Identifies a download. A process continues only a download with an equal job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchJob {
    format: u32,
    url: String,
    ranges: Vec<ByteRange>,
}

impl FetchJob {
    pub fn new(url: &HttpUrl, ranges: &[ByteRange]) -> Self {
        Self { format: FORMAT, url: url.as_str().into(), ranges: ranges.into() }
    }
}

impl Job for FetchJob {
    const NAME: &'static str = "download";

    fn difference(&self, other: &Self) -> Option<String> {
        if self.format != other.format {
            return Some(format!("has format {}, expected {}", other.format, self.format));
        }
        if self.url != other.url {
            return Some(format!("belongs to a download from {}", other.url));
        }
        (self.ranges != other.ranges).then(|| match &other.ranges[..] {
            [] => "belongs to a download without --range".into(),
            ranges => {
                let ranges = ranges.iter().map(|range| format!("--range {range}"));
                format!("belongs to a download with {}", ranges.collect::<Vec<_>>().join(" "))
            }
        })
    }
}
