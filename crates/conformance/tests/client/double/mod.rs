//! A client on the state machines of the core that has at most one fault.

mod download;
mod http;
mod login;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use bits_conformance::client::{Job, Suite, Transfer};

pub use self::http::{Received, Sent};
pub use self::login::Login;

/// A request of the past, and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub sent: Sent,
    /// `None` if the connection failed.
    pub received: Option<Received>,
}

/// All requests of a transfer so far.
#[derive(Debug)]
pub struct History {
    pub exchanges: Vec<Exchange>,
    /// The length of the file that is uploaded; 0 for a download.
    pub length: u64,
    /// The id of the case, which is the name of the entity.
    pub id: String,
    /// The file of the client.
    pub file: PathBuf,
    /// The client was killed before.
    pub is_repeated: bool,
    /// The account for the server.
    pub login: Login,
    /// The account for the proxy, with its host and port.
    pub proxy: Option<(String, Login)>,
}

impl History {
    fn new(job: &Job, length: u64) -> Self {
        let name = job.url.rsplit('/').next().unwrap_or_default();
        let marker = job.folder.join("started");
        let is_repeated = marker.exists();
        std::fs::write(&marker, "").expect("an empty folder");
        Self {
            exchanges: Vec::new(),
            length,
            id: name.trim_end_matches(".bin").into(),
            file: job.file.clone(),
            is_repeated,
            login: Login::server(job),
            proxy: Login::proxy(job),
        }
    }

    pub fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// Returns the responses to requests with GET.
    pub fn gets(&self) -> impl DoubleEndedIterator<Item = &Received> {
        let gets = self.exchanges.iter().filter(|it| it.sent.method == "GET");
        gets.filter_map(|it| it.received.as_ref())
    }

    /// Returns true after a connection that failed, or ended before the whole body arrived.
    pub fn is_broken(&self) -> bool {
        self.exchanges
            .last()
            .is_some_and(|it| !it.received.as_ref().is_some_and(|it| it.is_complete))
    }

    /// Returns the responses, in order.
    pub fn responses(&self) -> impl DoubleEndedIterator<Item = &Received> {
        self.exchanges.iter().filter_map(|it| it.received.as_ref())
    }

    /// Returns the last response; `None` after a failed connection.
    pub fn last(&self) -> Option<&Received> {
        self.exchanges.last()?.received.as_ref()
    }

    /// Returns the number of packets of a type that were sent, or of requests with a method.
    pub fn count(&self, kind: &str) -> usize {
        self.exchanges.iter().filter(|it| it.sent.is(kind)).count()
    }
}

/// The end of a transfer, as the double reports it.
pub type End = Result<(), String>;

/// A deviation of the double from the state machines of the core.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Changes requests before they are sent.
    Sends(fn(&History, &mut Sent)),
    /// Reads responses as other ones, or as a failed connection.
    Reads(fn(&History, &Sent, &mut Option<Received>)),
    /// Ends before a request is sent.
    Ends(fn(&History) -> Option<End>),
    /// Sends another request before the first one, or after any other.
    Adds(fn(&History, &Sent) -> Option<Sent>),
    /// Answers each of the first challenges, also if the last answer was refused.
    AnswersAgain(fn(&History) -> bool),
    /// Reports another end.
    Reports(fn(&History, End) -> End),
    /// Reports success in the end, with these bytes in place of those that it has downloaded.
    Copies(fn(&History) -> Option<Vec<u8>>),
}

/// Back-off after failures, which is short as the suite fails on purpose.
const BACKOFF: Duration = Duration::from_millis(5);
/// The number of consecutive failures after which the double gives up.
const RETRIES: u32 = 4;

/// The number of challenges in a row that the double answers.
const MAX_ANSWERS: usize = 2;
/// The number of challenges in a row that a fault answers.
const MAX_REPEATED_ANSWERS: usize = 15;

/// Parts of the state machine and of the fault that both directions share.
struct Driver {
    fault: Option<Fault>,
    history: History,
    job: Job,
    connections: http::Connections,
}

impl Driver {
    fn new(fault: Option<Fault>, job: Job, length: u64) -> Self {
        let history = History::new(&job, length);
        Self { fault, history, job, connections: http::Connections::default() }
    }

    /// Sends a request and receives its response, with the fault.
    ///
    /// Requests for the server of the URL have credentials after it has required them.
    async fn exchange(&mut self, mut sent: Sent, is_for_server: bool) -> Option<Received> {
        if is_for_server {
            self.history.login.authorize(&mut sent);
        }
        if let Some((authority, login)) = &mut self.history.proxy {
            sent.target = format!("http://{}{}", sent.authority, sent.target);
            sent.authority = authority.clone();
            login.authorize(&mut sent);
        }
        if self.history.exchanges.is_empty() {
            self.add(&sent).await;
        }
        if let Some(Fault::Sends(change)) = self.fault {
            change(&self.history, &mut sent);
        }
        let mut received = self.connections.exchange(&sent).await;
        if let Some(Fault::Reads(change)) = self.fault {
            change(&self.history, &sent, &mut received);
        }
        let exchange = Exchange { sent: sent.clone(), received: received.clone() };
        self.history.exchanges.push(exchange);
        self.add(&sent).await;
        received
    }

    /// Sends the request that the fault adds.
    async fn add(&mut self, sent: &Sent) {
        let Some(Fault::Adds(next)) = self.fault else { return };
        if let Some(sent) = next(&self.history, sent) {
            let received = self.connections.exchange(&sent).await;
            self.history.exchanges.push(Exchange { sent, received });
        }
    }

    /// Returns the end if the fault ends the transfer now.
    fn ended(&self) -> Option<End> {
        match self.fault {
            Some(Fault::Ends(end)) => end(&self.history),
            _ => None,
        }
    }

    fn report(&self, end: End) -> End {
        match self.fault {
            Some(Fault::Reports(change)) => change(&self.history, end),
            Some(Fault::Copies(copy)) => match copy(&self.history) {
                Some(bytes) => std::fs::write(&self.job.file, bytes).map_err(|it| it.to_string()),
                None => end,
            },
            _ => end,
        }
    }

    /// Returns true if the next request answers the last response, which requires credentials.
    fn has_answer(&mut self, has_credentials: bool) -> bool {
        let answers_again =
            matches!(self.fault, Some(Fault::AnswersAgain(is_it)) if is_it(&self.history));
        let limit = if answers_again { MAX_REPEATED_ANSWERS } else { MAX_ANSWERS };
        let responses = self.history.responses().rev();
        if responses.take_while(|it| matches!(it.status, 401 | 407)).count() > limit {
            return false;
        }
        let Some(response) = self.history.last().cloned() else { return false };
        let login = match (response.status, &mut self.history.proxy) {
            (401, _) if has_credentials => &mut self.history.login,
            (407, Some((_, login))) => login,
            _ => return false,
        };
        login.choose(&response, answers_again)
    }
}

/// Returns a suite that examines the double, with credentials and replies if `is_full` is set.
pub fn suite(transfer: Transfer, fault: Option<Fault>, is_full: bool) -> Suite {
    let suite = Suite::in_process(transfer, move |job| async move {
        match transfer {
            Transfer::Upload => upload::run(job, fault, is_full).await,
            _ => download::run(job, fault, is_full).await,
        }
    });
    let suite = suite.timeout(Duration::from_secs(60)).jobs(16);
    if is_full { suite.credentials().reply() } else { suite }
}
