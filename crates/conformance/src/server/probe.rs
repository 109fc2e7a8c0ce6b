//! The first requests, which show what can be examined.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::SuiteError;
use super::answer::Answer;
use super::entry::Stop;
use super::shared::Shared;
use super::test::Test;

/// Examines if the server accepts uploads, and if it offers them for download. Returns the names of
/// entities that remain.
pub(super) async fn probe(shared: &Arc<Shared>) -> Result<Vec<String>, SuiteError> {
    let url = shared.target.url().to_owned();
    if let Err(reason) = shared.connect().await {
        return Err(SuiteError::Unreachable { url, reason });
    }
    let mut test = Test::new(shared);
    let path = test.new_path();
    let answer = test.exchange(&test.create(&path)).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(
            Stop::Fail(reason)
            | Stop::Loss(reason)
            | Stop::Skip(reason)
            | Stop::NotApplicable(reason),
        ) => {
            let reason = format!("Create-Session: {reason}");
            return Err(SuiteError::NotBits { url, reason });
        }
    };
    if let Some(reason) = refusal(&answer) {
        let is_bits = answer.field("BITS-Packet-Type").is_some() || answer.code.is_some();
        return Err(match is_bits || matches!(answer.status, 401 | 403 | 407) {
            true => SuiteError::Refused { url, reason },
            false => SuiteError::NotBits { url, reason },
        });
    }
    if let Some(id) = answer.field("BITS-Session-Id") {
        test.sessions.push((path, id));
    }
    let has_downloads = has_downloads(&mut test).await;
    shared.has_downloads.store(has_downloads, Ordering::Relaxed);
    Ok(test.clean_up().await)
}

/// Returns the reason why no session was created.
fn refusal(answer: &Answer) -> Option<String> {
    let text = match answer.status {
        401 | 407 => "it requires credentials (--header \"Authorization: …\")",
        _ if answer.is_success() && answer.field("BITS-Session-Id").is_some() => return None,
        _ if answer.is_success() => "its response has no BITS-Session-Id",
        _ => "it does not create a session",
    };
    Some(format!("{text}: Create-Session receives {}", answer.summary()))
}

/// Uploads an entity and tries to download it.
async fn has_downloads(test: &mut Test) -> bool {
    let Ok(mut session) = test.session(10).await else { return false };
    if session.finish().await.is_err() {
        return false;
    }
    let answer = test.get(&session.path).await;
    answer.is_ok_and(|answer| answer.status == 200 && answer.body == session.content.all())
}
