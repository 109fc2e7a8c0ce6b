//! The first transfer, which shows if the client can be examined.

use std::sync::{Arc, Mutex, PoisonError};

use super::SuiteError;
use super::download::{self, Download};
use super::entry::Stop;
use super::examine::{NO_START, play};
use super::job::Transfer;
use super::scenario::Expect;
use super::servers::Listeners;
use super::shared::Shared;
use super::upload::{self, Upload};
use crate::Direction;
use crate::log::{Log, Peer};

/// The length of the file.
const LENGTH: u64 = 1000;

/// Requires that the client speaks the protocol with an ordinary server. Other failures are those of cases.
pub(super) async fn probe(shared: &Arc<Shared>) -> Result<(), SuiteError> {
    Listeners::bind(shared.listen).await.map_err(|error| SuiteError::Listen {
        address: shared.listen,
        reason: error.to_string(),
    })?;
    let log = Arc::new(Mutex::new(Log::new(Peer::Client)));
    let played = match shared.transfer {
        Transfer::Upload => {
            let scenario = upload::Scenario::new(Expect::Ends, LENGTH, Upload::ordinary);
            play("probe", scenario, shared, &log).await
        }
        Transfer::Download => {
            let answer = |server: &mut Download, request: &_| server.ordinary(request);
            play("probe", download::Scenario::new(Expect::Ends, LENGTH, answer), shared, &log).await
        }
    };
    let command = shared.runner.name();
    let reason = match played {
        Err(Stop::Fail(reason) | Stop::Loss(reason)) => match reason.strip_prefix(NO_START) {
            Some(reason) => return Err(SuiteError::Start { command, reason: reason.into() }),
            None => reason,
        },
        _ => "it sends no request".into(),
    };
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let mut received = log.messages.iter().filter(|it| it.direction == Direction::Received);
    let heads = received.clone().map(|it| String::from_utf8_lossy(&it.bytes).into_owned());
    let is_one = |head: String| match shared.transfer {
        Transfer::Upload => head.to_ascii_lowercase().contains("create-session"),
        Transfer::Download => head.starts_with("GET ") || head.starts_with("HEAD "),
    };
    if heads.into_iter().any(is_one) {
        return Ok(());
    }
    let first = received.next().map(|it| {
        let line = it.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let expected = match shared.transfer {
            Transfer::Upload => "Create-Session with the method BITS_POST",
            Transfer::Download => "GET or HEAD",
        };
        format!("its first request is {:?}; expected {expected}", String::from_utf8_lossy(line))
    });
    let reason = first.unwrap_or(reason);
    Err(SuiteError::NotClient { command, transfer: shared.transfer, reason })
}
