//! Clients: programs, and functions in the same process.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::job::{Exit, Job};

type Function =
    dyn Fn(Job) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync;

/// The client that is examined.
#[derive(Clone)]
pub(super) enum Runner {
    /// The program and its arguments, with placeholders.
    Command(Vec<String>),
    Function {
        function: Arc<Function>,
        has_credentials: bool,
        has_reply: bool,
    },
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Runner {
    pub(super) fn function<F>(function: impl Fn(Job) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let function: Arc<Function> = Arc::new(move |job| Box::pin(function(job)));
        Self::Function { function, has_credentials: false, has_reply: false }
    }

    /// Returns the command for the report.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Command(words) => words.join(" "),
            Self::Function { .. } => "in process".into(),
        }
    }

    /// Returns true if the command has the placeholder.
    pub(super) fn has(&self, placeholder: &str) -> bool {
        match self {
            Self::Command(words) => words.iter().any(|word| word.contains(placeholder)),
            Self::Function { has_credentials, has_reply, .. } => match placeholder {
                "{user}" | "{password}" => *has_credentials,
                "{reply}" => *has_reply,
                _ => true,
            },
        }
    }

    /// Runs the client, and stops it at the time limit, or when it is killed. `output` is a file for its output.
    ///
    /// # Errors
    ///
    /// The reason why the client cannot be started.
    pub(super) async fn run(
        &self,
        job: Job,
        output: &Path,
        limit: Duration,
        kill: &Notify,
    ) -> io::Result<Exit> {
        match self {
            Self::Command(words) => run_command(words, &job, output, limit, kill).await,
            Self::Function { function, .. } => {
                let mut task = tokio::spawn(function(job));
                let stopped = match first(&mut task, limit, kill).await {
                    Ok(Ok(Ok(()))) => return Ok(Exit::Success),
                    Ok(Ok(Err(reason))) => return Ok(Exit::Failure(reason)),
                    Ok(Err(error)) => return Ok(Exit::Crash(error.to_string())),
                    Err(stopped) => stopped,
                };
                task.abort();
                // The task is gone when this returns.
                let _ = task.await;
                Ok(stopped)
            }
        }
    }
}

/// Waits for the end of a client, or for the reason why it has to be stopped.
async fn first<T>(
    client: impl Future<Output = T>,
    limit: Duration,
    kill: &Notify,
) -> Result<T, Exit> {
    tokio::select! {
        ended = timeout(limit, client) => ended.map_err(|_| Exit::TimedOut),
        () = kill.notified() => Err(Exit::Killed),
    }
}

async fn run_command(
    words: &[String],
    job: &Job,
    output: &Path,
    limit: Duration,
    kill: &Notify,
) -> io::Result<Exit> {
    let mut words = words.iter().map(|word| fill(word, job));
    // A file does not block a client whose children keep it open.
    let stdout = File::create(output)?;
    let stderr = stdout.try_clone()?;
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null()).stdout(stdout).stderr(stderr).kill_on_drop(true);
    // A proxy in the environment does not reach the suite.
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    if let Some(proxy) = &job.proxy {
        command.env("http_proxy", proxy).env_remove("no_proxy").env_remove("NO_PROXY");
    }
    let mut child = command.spawn()?;
    let status = match first(child.wait(), limit, kill).await {
        Ok(ended) => ended?,
        Err(stopped) => {
            child.kill().await?;
            return Ok(stopped);
        }
    };
    if status.success() {
        return Ok(Exit::Success);
    }
    let text = String::from_utf8_lossy(&std::fs::read(output)?).into_owned();
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let text = line.map_or_else(|| status.to_string(), |line| format!("{status}: {line}"));
    Ok(if status.code().is_some() { Exit::Failure(text) } else { Exit::Crash(text) })
}

/// Replaces the placeholders of an argument.
fn fill(word: &str, job: &Job) -> String {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    [
        ("{url}", job.url.clone()),
        ("{file}", path(&job.file)),
        ("{reply}", path(&job.reply)),
        ("{dir}", path(&job.folder)),
        ("{user}", job.user.clone()),
        ("{password}", job.password.clone()),
    ]
    .iter()
    .fold(word.to_owned(), |word, (name, value)| word.replace(name, value))
}
