//! Uploads of the double.

use std::time::{Duration, Instant, UNIX_EPOCH};

use bits_conformance::client::Job;
use bits_proto::client::{FragmentSizing, Mode, Options, Poll, Transmit, Upload};
use bits_proto::field::{ContentName, RetryAfter};
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::{Ack, Extras};

use super::http::split_url;
use super::{BACKOFF, Driver, End, Fault, RETRIES, Received, Sent};

/// The length of fragments. Most files of the suite have several.
const FRAGMENT: u64 = 16 * 1024;

struct Run {
    driver: Driver,
    machine: Upload,
    bytes: Vec<u8>,
    authority: String,
    target: String,
    start: Instant,
    /// The client answers requests for credentials.
    has_credentials: bool,
}

/// Uploads a file.
pub async fn run(job: Job, fault: Option<Fault>, is_full: bool) -> End {
    let bytes = std::fs::read(&job.file).map_err(|error| error.to_string())?;
    let mode = if is_full { Mode::UploadReply } else { Mode::Upload };
    let options = Options::DEFAULT
        .with_mode(mode)
        .with_fragments(FragmentSizing::new(FRAGMENT))
        .with_initial_backoff(BACKOFF)
        .with_max_backoff(BACKOFF)
        .with_max_retries(RETRIES);
    let (authority, target) = split_url(&job.url);
    let length = bytes.len() as u64;
    let mut run = Run {
        driver: Driver::new(fault, job, length),
        machine: Upload::new(length, options, 7),
        bytes,
        authority,
        target,
        start: Instant::now(),
        has_credentials: is_full,
    };
    let end = run.run().await;
    run.driver.report(end)
}

impl Run {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn run(&mut self) -> End {
        loop {
            if let Some(end) = self.driver.ended() {
                return end;
            }
            match self.machine.poll() {
                Poll::Send(transmit) => self.send(&transmit).await?,
                Poll::Wait(until) => {
                    tokio::time::sleep(until.saturating_sub(self.now())).await;
                    self.machine.handle_timeout(self.now());
                }
                Poll::Credentials(_) if self.driver.has_answer(self.has_credentials) => {
                    self.machine.provide_credentials().map_err(text)?;
                }
                Poll::Credentials(status) => return Err(format!("status {status}")),
                Poll::FetchReply => self.fetch_reply().await?,
                Poll::Finished => return Ok(()),
                Poll::Suspended(reason) | Poll::Failed(reason) => return Err(reason.to_string()),
                other => return Err(format!("{other:?}")),
            }
        }
    }

    /// Returns host and port for packets.
    fn host(&self) -> String {
        match self.machine.host() {
            Some(host) if host.as_str().contains(':') => host.as_str().into(),
            Some(host) => {
                let port = self.authority.rsplit(':').next().unwrap_or_default();
                format!("{}:{port}", host.as_str())
            }
            None => self.authority.clone(),
        }
    }

    fn request(&self, transmit: &Transmit) -> Result<Sent, String> {
        let host = self.host();
        let extras = Extras::from_fields(Vec::new(), [("Host", host.clone())]).map_err(text)?;
        let name = ContentName::try_from("file.bin").map_err(text)?;
        let request = transmit.request_with_name(name);
        let target = RequestTarget::try_from(self.target.as_str()).map_err(text)?;
        let head = request.encode(target, &extras).map_err(text)?.to_vec();
        let entity = transmit.entity();
        let body = self.bytes[entity.start as usize..entity.end as usize].to_vec();
        Ok(Sent::parse(&host, &head, body))
    }

    async fn send(&mut self, transmit: &Transmit) -> End {
        let sent = self.request(transmit)?;
        self.machine.handle_sending(self.now()).map_err(text)?;
        self.machine.handle_sent(self.now()).map_err(text)?;
        let received = self.driver.exchange(sent, true).await;
        self.receive(transmit, received.as_ref())
    }

    fn receive(&mut self, transmit: &Transmit, received: Option<&Received>) -> End {
        let now = self.now();
        let Some(received) = received else {
            return self.machine.handle_transport_failure(now).map_err(text);
        };
        let status = StatusCode::try_from(received.status).map_err(text)?;
        let line = StatusLine { version: Version::Http11, status, reason: "" };
        match Ack::from_fields(line, received.pairs(), &transmit.ack_context()) {
            Ok(ack) => self.machine.handle_ack(&ack.message, now).map_err(text)?,
            Err(_) => self.machine.handle_unreadable(Some(status), now).map_err(text)?,
        }
        if let Some(delay) = received.get("Retry-After").and_then(delay) {
            self.machine.handle_retry_after(delay, now);
        }
        Ok(())
    }

    async fn fetch_reply(&mut self) -> End {
        let url = self.machine.reply_url().ok_or("no URL of the reply")?;
        let base = format!("http://{}{}", self.authority, self.target);
        let url = url.resolve(&base).map_err(text)?.as_str().to_owned();
        let (authority, target) = split_url(&url);
        if authority != self.authority {
            return Err("reply is on another server".into());
        }
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {authority}\r\nAccept-Encoding: identity\r\n\r\n"
        );
        let sent = Sent::parse(&authority, head.as_bytes(), Vec::new());
        match self.driver.exchange(sent, true).await {
            Some(it) if it.status == 200 && it.is_complete && is_plain(&it) => {
                std::fs::write(&self.driver.job.reply, &it.body).map_err(text)?;
                self.machine.handle_reply_fetched().map_err(text)
            }
            _ => self.machine.handle_reply_failed(self.now()).map_err(text),
        }
    }
}

/// Returns true for a body without a content coding.
fn is_plain(received: &Received) -> bool {
    received.get("Content-Encoding").is_none_or(|it| it.eq_ignore_ascii_case("identity"))
}

/// Returns the delay that a server requests.
pub(super) fn delay(value: &str) -> Option<Duration> {
    let now = UNIX_EPOCH.elapsed().unwrap_or_default();
    Some(RetryAfter::try_from(value).ok()?.delay(now))
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
