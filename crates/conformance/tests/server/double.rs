//! A server on `bits-server` that has at most one fault.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_conformance::server::Suite;
use bits_server::sessions::MemorySessions;
use bits_server::storage::{FileStorage, MemoryStorage, ObjectStorage};
use bits_server::{BitsService, Limits, Notify, Server};
use http::request::Parts;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use object_store::memory::InMemory;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_service::Service as _;

use crate::application::{Application, Delivery, deliver};
use crate::rewriting::Rewriting;
use crate::seen::{Past, Seen};

/// A deviation of the double from `bits-server`.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Reads text in the heads of requests as other text.
    Reads(&'static str, &'static str),
    /// Reads heads of requests as this function returns them.
    ReadsHead(fn(&str) -> String),
    /// Responds without the server.
    Answers(fn(&Seen<'_>) -> Option<Reply>),
    /// Changes responses of the server.
    Changes(fn(&Seen<'_>, &mut Response<Bytes>)),
    /// Publishes other bytes if the requests for an entity match.
    Spoils(fn(&[Past]) -> bool),
    /// Does not publish an entity if the requests for it match.
    Loses(fn(&[Past]) -> bool),
    /// Publishes an entity that should not exist, if the requests for it match.
    Leaks(fn(&[Past]) -> bool),
    /// Publishes an entity that should not exist, if the download matches. The function compares a text with
    /// the paths of earlier requests and with the names in Content-Name.
    LeaksOther(fn(&Seen<'_>, Knows<'_>) -> bool),
    /// Publishes outside the root what is uploaded to a request line with this text.
    Escapes(&'static str),
    /// Discards requests that follow a Ping in the same segment.
    DropsPipelined,
    /// Changes notifications of the application.
    Notifies(fn(&mut Request<Bytes>) -> Delivery),
    /// Notifies the application when it receives a request that matches.
    NotifiesEarly(fn(&Seen<'_>) -> bool),
    /// Issues session ids that are consecutive numbers.
    CountsSessions,
}

/// Compares a text with those that the double has seen.
pub type Knows<'a> = &'a dyn Fn(&str) -> bool;

/// A response of the double alone.
pub enum Reply {
    Response(Response<Bytes>),
    /// None, and the connection stays open.
    Silence,
    /// None, and the connection ends.
    End,
}

impl Reply {
    /// A refusal with the fields of one.
    pub fn refusal(status: u16, code: &str) -> Option<Self> {
        let response = Response::builder().status(status).header("BITS-Packet-Type", "Ack");
        let response = response.header("BITS-Error-Code", code).header("BITS-Error", code);
        let response = response.header("BITS-Error-Context", "0x5").body(Bytes::new());
        Some(Self::Response(response.expect("a response")))
    }

    pub fn invalid() -> Option<Self> {
        Self::refusal(400, "0x80070057")
    }

    pub fn not_found() -> Option<Self> {
        Self::refusal(500, "0x8020001F")
    }
}

/// Sets or removes a field.
pub fn set(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
    if value.is_empty() {
        response.headers_mut().remove(name);
    } else {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
}

/// Replaces a response by one with an entity that should not exist.
fn leak(response: &mut Response<Bytes>) {
    *response = Response::new(Bytes::from_static(b"leak"));
}

/// A session id that is a number.
fn number(index: usize) -> String {
    format!("{{{index:08X}-0000-4000-8000-00000000000F}}")
}

/// The place of published entities.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    Memory,
    Folder,
    Bucket,
}

pub struct Double {
    url: String,
    place: Place,
    application: Application,
    root: Option<PathBuf>,
    _folder: TempDir,
    task: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct State {
    service: BitsService,
    /// The address of the application.
    application: SocketAddr,
    fault: Option<Fault>,
    past: Mutex<HashMap<String, Vec<Past>>>,
    /// The ids that are numbers, and those of the server.
    ids: Mutex<Vec<String>>,
}

impl Double {
    /// Starts a server that publishes in memory, or in a folder if the fault is in its paths.
    pub async fn start(fault: Option<Fault>) -> Self {
        let is_rooted = matches!(fault, Some(Fault::Escapes(_)));
        let place = if is_rooted { Place::Folder } else { Place::Memory };
        Self::start_in(place, fault, Limits::default()).await
    }

    /// Starts a server without a fault.
    pub async fn start_with(place: Place) -> Self {
        Self::start_in(place, None, Limits::default()).await
    }

    /// Starts a server that limits the length of entities.
    pub async fn start_limited(max_upload: u64) -> Self {
        let limits = Limits { max_upload: Some(max_upload), ..Limits::default() };
        Self::start_in(Place::Memory, None, limits).await
    }

    async fn start_in(place: Place, fault: Option<Fault>, limits: Limits) -> Self {
        // A stalled request is abandoned soon, but not while the machine is busy.
        let limits = Limits { idle_timeout: Duration::from_millis(1500), ..limits };
        let application = Application::start(fault).await;
        let builder = Server::builder().sessions(MemorySessions::new()).limits(limits);
        // A bucket cannot read entities before they are published.
        let builder = match place {
            Place::Bucket => builder,
            _ => builder.notify(Notify::new(&application.url)),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("outside/root");
        std::fs::create_dir_all(&root).expect("a root");
        let builder = match place {
            Place::Memory => builder.storage(MemoryStorage::new()),
            Place::Folder => builder.storage(FileStorage::open(&root).expect("a storage")),
            Place::Bucket => builder.storage(ObjectStorage::new(InMemory::new())),
        };
        let root = (place == Place::Folder).then_some(root);
        let server = builder.build().await.expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            service: server.service(),
            application: application.address,
            fault,
            past: Mutex::default(),
            ids: Mutex::default(),
        });
        let outside = root.as_ref().and_then(|root| Some(root.parent()?.to_path_buf()));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stream = TokioIo::new(Rewriting::new(stream, fault, outside.clone()));
                let (state, previous) = (Arc::clone(&state), Arc::<Mutex<String>>::default());
                let service = service_fn(move |request| {
                    let (state, previous) = (Arc::clone(&state), Arc::clone(&previous));
                    async move { state.serve(request, &previous).await }
                });
                let http = http1::Builder::new().half_close(true).serve_connection(stream, service);
                tokio::spawn(http);
            }
        });
        Self { url, place, application, root, _folder: folder, task }
    }

    /// Returns the names of all published files.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.as_ref().expect("a root")).expect("a folder");
        entries.map(|it| it.expect("a file").file_name().to_string_lossy().into()).collect()
    }

    pub fn address(&self) -> SocketAddr {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        address.parse().expect("an address")
    }

    pub fn suite(&self) -> Suite {
        let suite = Suite::new(&self.url).timeout(Duration::from_secs(10));
        let suite = match self.place {
            Place::Bucket => suite,
            _ => suite.application(self.application.address),
        };
        match &self.root {
            Some(root) => suite.root(root),
            None => suite,
        }
    }
}

impl State {
    async fn serve(
        &self,
        request: Request<Incoming>,
        previous: &Mutex<String>,
    ) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (mut parts, body) = request.into_parts();
        let packet = parts.headers.get("BITS-Packet-Type").and_then(|it| it.to_str().ok());
        let packet = packet.unwrap_or_default().to_ascii_lowercase();
        let previous = std::mem::replace(&mut *previous.lock().expect("no panic"), packet);
        let past = self.past(parts.uri.path());
        self.real_id(&mut parts);
        let seen = Seen { parts: &parts, past: &past, previous: &previous };
        if matches!(self.fault, Some(Fault::NotifiesEarly(is)) if is(&seen)) {
            let url = format!("http://localhost{}", parts.uri.path());
            let notification = Request::post("/").header("BITS-Original-Request-URL", url);
            let notification = notification.body(Bytes::new()).expect("a notification");
            deliver(self.application, notification).await?;
        }
        if let Some(Fault::Answers(answer)) = self.fault {
            match answer(&seen) {
                Some(Reply::Silence) => pending::<()>().await,
                Some(Reply::End) => return Err(std::io::ErrorKind::ConnectionReset.into()),
                Some(Reply::Response(response)) => {
                    // To read the body would send 100 (Continue).
                    if response.status() != http::StatusCode::EXPECTATION_FAILED {
                        let _ = body.collect().await;
                    }
                    self.remember(&seen, &response);
                    return Ok(response.map(Full::new));
                }
                None => {}
            }
        }
        let request = Request::from_parts(parts.clone(), body);
        let Ok::<_, Infallible>(response) = self.service.clone().call(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(|it| it.to_bytes()).unwrap_or_default();
        let mut response = Response::from_parts(head, body);
        self.spoil(&seen, &mut response);
        if let Some(Fault::Changes(change)) = self.fault {
            change(&seen, &mut response);
        }
        self.remember(&seen, &response);
        self.numbered_id(&mut response);
        Ok(response.map(Full::new))
    }

    /// Replaces a number by the id of the server.
    fn real_id(&self, parts: &mut Parts) {
        let ids = self.ids.lock().expect("no panic");
        let Some(id) = parts.headers.get_mut("BITS-Session-Id") else { return };
        if let Some(index) =
            (0..ids.len()).find(|it| number(*it).as_bytes().eq_ignore_ascii_case(id.as_bytes()))
        {
            *id = ids[index].parse().expect("an id");
        }
    }

    /// Replaces an id of the server by a number.
    fn numbered_id(&self, response: &mut Response<Bytes>) {
        let Some(id) = response.headers_mut().get_mut("BITS-Session-Id") else { return };
        if !matches!(self.fault, Some(Fault::CountsSessions)) {
            return;
        }
        let text = id.to_str().expect("an id").to_owned();
        let mut ids = self.ids.lock().expect("no panic");
        let index = ids.iter().position(|it| *it == text).unwrap_or_else(|| {
            ids.push(text);
            ids.len() - 1
        });
        *id = number(index).parse().expect("an id");
    }

    fn past(&self, path: &str) -> Vec<Past> {
        self.past.lock().expect("no panic").get(path).cloned().unwrap_or_default()
    }

    /// Compares a text with the paths of earlier requests, and with the names in Content-Name.
    fn knows(&self, text: &str) -> bool {
        self.past.lock().expect("no panic").contains_key(text)
    }

    fn remember(&self, seen: &Seen<'_>, response: &Response<Bytes>) {
        let id = response.headers().get("BITS-Session-Id").and_then(|it| it.to_str().ok());
        let past = Past {
            packet: seen.packet(),
            session: if seen.is("create-session") {
                id.unwrap_or_default()
            } else {
                seen.session()
            }
            .into(),
            range: seen.range(),
            status: response.status().as_u16(),
        };
        let mut all = self.past.lock().expect("no panic");
        if let Some(name) = seen.field("Content-Name") {
            all.entry(name.into()).or_default();
        }
        all.entry(seen.parts.uri.path().into()).or_default().push(past);
    }

    /// Changes what a download returns.
    fn spoil(&self, seen: &Seen<'_>, response: &mut Response<Bytes>) {
        if seen.parts.method != "GET" {
            return;
        }
        match self.fault {
            Some(Fault::Spoils(is)) if is(seen.past) => {
                let mut bytes = response.body().to_vec();
                bytes.push(b'!');
                response.headers_mut().remove("Content-Length");
                *response.body_mut() = bytes.into();
            }
            Some(Fault::Loses(is)) if is(seen.past) => {
                *response = Response::new(Bytes::new());
                *response.status_mut() = http::StatusCode::NOT_FOUND;
            }
            Some(Fault::Leaks(is)) if is(seen.past) => leak(response),
            Some(Fault::LeaksOther(is)) if is(seen, &|text| self.knows(text)) => leak(response),
            _ => {}
        }
    }
}
