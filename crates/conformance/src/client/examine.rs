//! The run of one case.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::entry::{Entry, Outcome, Plan, Stop};
use super::job::{Exit, Job, Transfer};
use super::scenario::{Expect, Model, Needs, Scenario};
use super::servers::{Listeners, Servers};
use super::setup::{ACCOUNT, Setup};
use super::shared::Shared;
use crate::CaseReport;
use crate::content::Content;
use crate::log::{Log, Peer};

/// The beginning of the reason why a client did not run.
pub(super) const NO_START: &str = "client does not start: ";

/// The time after which a client that may retry for a long time is stopped.
const MAX_RETRY_TIME: Duration = Duration::from_secs(10);

/// Examines one case.
pub(super) async fn examine(entry: &Entry, shared: &Arc<Shared>) -> CaseReport {
    let log = Arc::new(Mutex::new(Log::new(Peer::Client)));
    let outcome = match entry.plan {
        Plan::Upload(scenario) => play(entry.case.id, scenario, shared, &log).await,
        Plan::Download(scenario) => play(entry.case.id, scenario, shared, &log).await,
    };
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let (findings, evidence) =
        (std::mem::take(&mut log.findings), std::mem::take(&mut log.messages));
    CaseReport::new(entry.case, outcome, findings, evidence)
}

/// Plays a scenario, and judges the client.
pub(super) async fn play<M: Model>(
    id: &str,
    scenario: Scenario<M>,
    shared: &Arc<Shared>,
    log: &Arc<Mutex<Log>>,
) -> Outcome {
    let local = |error: io::Error| Stop::Skip(format!("cannot play the server: {error}"));
    let listeners = Listeners::bind(shared.listen).await.map_err(local)?;
    check_needs(scenario.needs, shared, &listeners)?;
    let folder = tempfile::tempdir().map_err(local)?;
    let mut job = job(id, shared.transfer, &folder).map_err(local)?;
    let setup = setup(id, &scenario, &listeners, shared, &job).map_err(local)?;
    job.url = setup.url();
    job.proxy = (scenario.needs == Needs::Proxy).then(|| setup.proxy());
    if shared.transfer == Transfer::Upload {
        write_file(&job.file, &setup.content.all()).map_err(local)?;
    }
    let servers = Servers::start(listeners, shared, scenario, M::new(setup), log);
    let limit = match scenario.expect {
        Expect::NoSuccess | Expect::NoWrongCopy => shared.timeout.min(MAX_RETRY_TIME),
        _ => shared.timeout,
    };
    let output = folder.path().join("output");
    let run = async || {
        let exit = shared.runner.run(job.clone(), &output, limit, servers.kill()).await;
        exit.map_err(|error| Stop::Fail(format!("{NO_START}{error}")))
    };
    let exit = match run().await? {
        Exit::Killed => run().await?,
        exit => exit,
    };
    servers.wait_until_closed().await;
    let outcome = judge(&scenario, &exit, &mut servers.model(), limit);
    servers.stop().await;
    outcome
}

/// Requires the parts of the command that a case needs.
fn check_needs(needs: Needs, shared: &Shared, listeners: &Listeners) -> Outcome {
    let has_credentials = shared.runner.has("{user}");
    let has_reply = shared.runner.has("{reply}");
    let missing = match needs {
        Needs::Credentials | Needs::CredentialsAndReply if !has_credentials => {
            "needs {user} and {password} in the command"
        }
        Needs::NoCredentials if has_credentials => "needs a command without {user}",
        Needs::Reply | Needs::CredentialsAndReply if !has_reply => "needs {reply} in the command",
        Needs::NoReply if has_reply => "needs a command without {reply}",
        Needs::Host if listeners.host().is_none() => {
            "needs a second address: listen on 127.0.0.1 of Linux or Windows"
        }
        _ => return Ok(()),
    };
    Err(Stop::Skip(missing.into()))
}

/// Writes a file whose date is in the past, so that each later change changes the date.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::write(path, bytes)?;
    let file = File::options().write(true).open(path)?;
    file.set_modified(SystemTime::now() - Duration::from_secs(3600))
}

fn job(id: &str, transfer: Transfer, folder: &TempDir) -> io::Result<Job> {
    let state = folder.path().join("state");
    std::fs::create_dir(&state)?;
    let file = match transfer {
        Transfer::Upload => format!("{id}.bin"),
        Transfer::Download => "copy.bin".into(),
    };
    Ok(Job {
        url: String::new(),
        file: folder.path().join(file),
        reply: folder.path().join("reply.bin"),
        folder: state,
        user: ACCOUNT.user.into(),
        password: ACCOUNT.password.into(),
        proxy: None,
    })
}

fn setup<M>(
    id: &str,
    scenario: &Scenario<M>,
    listeners: &Listeners,
    shared: &Shared,
    job: &Job,
) -> io::Result<Setup> {
    let (port, other_port) = listeners.ports()?;
    let seed = id.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    let has_reply = shared.transfer == Transfer::Upload && shared.runner.has("{reply}");
    Ok(Setup {
        path: format!("/bits-conformance/{id}.bin"),
        origin: format!("http://{}:{port}", shared.host),
        other_origin: format!("http://{}:{other_port}", shared.host),
        host: listeners.host(),
        content: Content { seed, length: scenario.length },
        reply: has_reply.then(|| job.reply.clone()),
        file: job.file.clone(),
    })
}

/// Compares the result of a transfer with the expected one.
fn judge<M: Model>(scenario: &Scenario<M>, exit: &Exit, model: &mut M, limit: Duration) -> Outcome {
    let not_reached =
        |model: &M| model.not_reached().map_or(Ok(()), |it| Err(Stop::NotApplicable(it)));
    match exit {
        Exit::Success => {
            model.verify()?;
            not_reached(model)?;
        }
        Exit::Crash(text) => return Err(Stop::Fail(format!("client crashes: {text}"))),
        Exit::TimedOut if scenario.expect == Expect::Recovers => {
            return Err(Stop::NotApplicable(format!(
                "client still waits after {} s: give it a shorter time limit",
                limit.as_secs_f32()
            )));
        }
        Exit::Failure(_) | Exit::TimedOut | Exit::Killed => {}
    }
    if let Some(expected) = unmet(scenario.expect, exit) {
        let actual = match exit {
            Exit::Success => "it reports success".into(),
            Exit::TimedOut => format!("it is still running after {} s", limit.as_secs_f32()),
            Exit::Killed => "it was killed".into(),
            Exit::Failure(text) | Exit::Crash(text) => format!("it reports: {text}"),
        };
        return Err(Stop::Fail(format!("expected {expected}; {actual}")));
    }
    not_reached(model)?;
    model.check()?;
    (scenario.check)(model)
}

/// Returns the expectation that the end of a client does not meet.
const fn unmet(expect: Expect, exit: &Exit) -> Option<&'static str> {
    match (expect, exit) {
        (Expect::Finishes | Expect::Recovers, Exit::Success)
        | (Expect::GivesUp, Exit::Failure(_))
        | (Expect::Ends, Exit::Success | Exit::Failure(_))
        | (Expect::NoSuccess, Exit::Failure(_) | Exit::TimedOut)
        | (Expect::NoWrongCopy, Exit::Success | Exit::Failure(_) | Exit::TimedOut) => None,
        (Expect::Finishes | Expect::Recovers, _) => Some("the client to finish"),
        (Expect::GivesUp | Expect::NoSuccess, _) => Some("the client to give up"),
        (Expect::Ends | Expect::NoWrongCopy, _) => Some("the client to end"),
    }
}
