//! Downloads of the double.

use std::time::{Duration, Instant};

use bits_conformance::client::Job;
use bits_proto::download::{
    ByteRange, Download, Exchange as MachineExchange, Options, Poll, Response,
};
use bits_proto::field::ResolvedUrlBuf;
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::Extras;

use super::http::split_url;
use super::upload::{delay, text};
use super::{BACKOFF, Driver, End, Fault, RETRIES, Received, Sent};

/// The maximum number of redirects of one request.
const REDIRECTS: u32 = 5;

struct Run {
    driver: Driver,
    machine: Download<[ByteRange; 0]>,
    bytes: Vec<u8>,
    authority: String,
    target: String,
    start: Instant,
    /// The client answers requests for credentials.
    has_credentials: bool,
}

/// Downloads a file.
pub async fn run(job: Job, fault: Option<Fault>, is_full: bool) -> End {
    let options = Options::DEFAULT
        .with_initial_backoff(BACKOFF)
        .with_max_backoff(BACKOFF)
        .with_max_retries(RETRIES);
    let (authority, target) = split_url(&job.url);
    let mut run = Run {
        driver: Driver::new(fault, job, 0),
        machine: Download::whole(options, 7),
        bytes: Vec::new(),
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
                Poll::Send => self.send().await?,
                Poll::Wait(until) => {
                    tokio::time::sleep(until.saturating_sub(self.now())).await;
                    self.machine.handle_timeout(self.now());
                }
                Poll::Credentials(_) if self.driver.has_answer(self.has_credentials) => {
                    self.machine.provide_credentials().map_err(text)?;
                }
                Poll::Credentials(status) => return Err(format!("status {status}")),
                Poll::Discard => {
                    self.bytes.clear();
                    self.machine.handle_discarded().map_err(text)?;
                }
                Poll::Commit => {
                    std::fs::write(&self.driver.job.file, &self.bytes).map_err(text)?;
                    self.machine.handle_committed().map_err(text)?;
                }
                Poll::Finished => return Ok(()),
                Poll::Suspended(reason) | Poll::Failed(reason) => return Err(reason.to_string()),
                other => return Err(format!("{other:?}")),
            }
        }
    }

    /// Returns the request of the machine, for a URL that a redirect may have changed.
    fn request(&self, authority: &str, target: &str) -> Result<Sent, String> {
        let extras = Extras::from_fields(Vec::new(), [("Host", authority)]).map_err(text)?;
        let transmit = self.machine.transmit().ok_or("no request")?;
        let target = RequestTarget::try_from(target).map_err(text)?;
        let head = transmit.encode(target, &extras).map_err(text)?.to_vec();
        Ok(Sent::parse(authority, &head, Vec::new()))
    }

    async fn send(&mut self) -> End {
        self.machine.handle_sending(self.now()).map_err(text)?;
        self.machine.handle_sent(self.now()).map_err(text)?;
        let (mut authority, mut target) = (self.authority.clone(), self.target.clone());
        for _ in 0..=REDIRECTS {
            let sent = self.request(&authority, &target)?;
            let received = self.driver.exchange(sent, authority == self.authority).await;
            let location =
                received.as_ref().filter(|it| matches!(it.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location.and_then(|it| it.get("Location")) else {
                return self.receive(received);
            };
            let base = format!("http://{authority}{target}");
            let url = ResolvedUrlBuf::from_redirect(location.as_bytes(), &base).map_err(text)?;
            (authority, target) = split_url(url.as_str());
        }
        Err("too many redirects".into())
    }

    fn receive(&mut self, received: Option<Received>) -> End {
        let now = self.now();
        let Some(received) = received else {
            return self.machine.handle_transport_failure(now).map_err(text);
        };
        let status = StatusCode::try_from(received.status).map_err(text)?;
        let line = StatusLine { version: Version::Http11, status, reason: "" };
        match Response::from_fields(line, received.pairs()) {
            Ok(response) => self.machine.handle_response(&response, now).map_err(text)?,
            Err(_) => self.machine.handle_unreadable(Some(status), now).map_err(text)?,
        }
        if let Some(delay) = received.get("Retry-After").and_then(delay) {
            self.machine.handle_retry_after(delay, now);
        }
        self.store(&received)
    }

    /// Stores the body of a response.
    fn store(&mut self, received: &Received) -> End {
        let mut body = &received.body[..];
        while self.machine.exchange() == MachineExchange::Receiving {
            let now = self.now();
            if body.is_empty() {
                return match received.is_complete {
                    true => self.machine.handle_body_end(now).map_err(text),
                    false => self.machine.handle_transport_failure(now).map_err(text),
                };
            }
            let data = self.machine.handle_data(body, now).map_err(text)?;
            if let Some(store) = data.store {
                let position = usize::try_from(store.position).map_err(text)?;
                self.bytes.resize(position, 0);
                self.bytes.extend_from_slice(store.bytes);
            }
            if data.is_done {
                break;
            }
            body = &body[data.consumed..];
        }
        Ok(())
    }
}
