//! The server application, which the server notifies of complete uploads.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, NotificationRequest, RequestHead};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A notification that arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Notification {
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The error of the core's parser.
    pub(super) error: Option<String>,
}

impl Notification {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the file with the entity, if the notification names it.
    pub(super) fn data_file(&self) -> Option<&str> {
        let names = ["BITS-Request-DataFile-Name", "BITS-Request-DataEntity-Name"];
        names.iter().find_map(|name| self.field(name))
    }

    /// Returns the file for the reply, if the notification names it.
    pub(super) fn reply_file(&self) -> Option<&str> {
        let names = ["BITS-Response-DataFile-Name", "BITS-Response-DataEntity-Name"];
        names.iter().find_map(|name| self.field(name))
    }
}

/// The field with which an application asks the server to publish the entity.
const PUBLISH: &str = "BITS-Copy-File-To-Destination";

/// The response of the application for an entity. It asks the server to publish the entity.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// True if the application closes the connection instead of a response.
    pub(super) is_lost: bool,
}

impl Response {
    pub(super) fn status(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new(), is_lost: false }
    }
}

#[derive(Default)]
struct State {
    /// By the name of the entity.
    responses: HashMap<String, Response>,
    received: Vec<Notification>,
}

/// A server application that records notifications, and responds as the case requires.
pub(super) struct Application {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Application {
    pub(super) async fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A server that disconnects has no use for a response.
                    let _ = serve(stream, &state).await;
                });
            }
        });
        Ok(Self { state, task })
    }

    /// Sets the response for an entity, whose URL ends with this name.
    pub(super) fn respond(&self, name: &str, response: Response) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.responses.insert(name.to_owned(), response);
    }

    /// Returns the notifications of an entity so far.
    pub(super) fn received(&self, name: &str) -> Vec<Notification> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.received.iter().filter(|it| concerns(it, name)).cloned().collect()
    }
}

/// Compares the URL of a notification with the name of an entity.
fn concerns(notification: &Notification, name: &str) -> bool {
    let url = notification.field("BITS-Original-Request-URL").unwrap_or_default();
    url.ends_with(name) || notification.data_file().is_some_and(|file| file.ends_with(name))
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(notification) = read(&mut stream, &mut buffer).await? {
        let response = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut responses = state.responses.iter();
            let response = responses.find(|(name, _)| concerns(&notification, name));
            let response = response.map(|(_, response)| response.clone());
            state.received.push(notification);
            response.unwrap_or(Response::status(200))
        };
        if response.is_lost {
            return Ok(());
        }
        stream.write_all(&write(&response)).await?;
    }
    Ok(())
}

fn write(response: &Response) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Status\r\n{PUBLISH}: yes\r\n", response.status);
    for (name, value) in &response.fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", response.body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&response.body);
    bytes
}

/// Reads a notification; `None` at the end of the connection.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Notification>> {
    loop {
        if let Some((mut notification, head, length)) = parse(buffer) {
            let end = head + length;
            while buffer.len() < end {
                if stream.read_buf(buffer).await? == 0 {
                    return Ok(None);
                }
            }
            notification.body = buffer.drain(..end).skip(head).collect();
            return Ok(Some(notification));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Parses a head: the notification, the length of the head and that of the body.
fn parse(buffer: &[u8]) -> Option<(Notification, usize, usize)> {
    let mut slots = HeaderSlots::new();
    match RequestHead::parse(buffer, &mut slots) {
        Ok(Progress::Complete(head)) => {
            let text = |(name, value): (&str, &[u8])| {
                (name.to_owned(), String::from_utf8_lossy(value).into_owned())
            };
            let notification = Notification {
                fields: head.fields().map(text).collect(),
                body: Vec::new(),
                error: NotificationRequest::from_head(&head).err().map(|it| it.to_string()),
            };
            let length = usize::try_from(head.body_length()).ok()?;
            Some((notification, head.len(), length))
        }
        Ok(_) => None,
        Err(error) => {
            let error = Some(error.to_string());
            Some((Notification { error, ..Notification::default() }, buffer.len(), 0))
        }
    }
}
