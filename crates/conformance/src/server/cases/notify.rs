//! Notification of the server application, and replies.

use bits_proto::field::ErrorContext;

use crate::Level::{Must, Robustness, Should};
use crate::server::answer::Answer;
use crate::server::application::{Application, Notification, Response};
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::session::Session;
use crate::server::test::Test;

const NEEDS_APPLICATION: &str = "needs --application, and a server that notifies it";
const REPLY: &[u8] = b"reply \0\r\n of the application";

/// A case about a notification.
macro_rules! case {
    ($id:literal, $level:ident, $requirements:expr, $advice:literal, $run:ident) => {
        Entry::new($id, $level, $requirements, $advice, |test| Box::pin($run(test)))
    };
}

pub(super) const CASES: &[Entry] = &[
    case!(
        "notify.sent",
        Must,
        &["R2.2.12-1", "R3.2.5.1.3-1"],
        "Notify the application when the last byte of an entity is stored, before you acknowledge it.",
        sent
    ),
    case!(
        "notify.valid",
        Must,
        &["R2.2.12.1-1", "R2.2.12.2-1", "R2.2.12.2-2"],
        "Send notifications as POST with BITS-Original-Request-URL and Content-Length.",
        valid
    ),
    case!(
        "notify.original_url",
        Must,
        &["R2.2.12.2-1", "R2.2.12.2-2"],
        "Send the absolute URL of the upload in BITS-Original-Request-URL.",
        original_url
    ),
    case!(
        "notify.content",
        Must,
        &["R2.2.12.3-1", "R2.2.12.3-2", "R2.2.12.2-5"],
        "Send the whole entity as the body of the notification, or else the name of its file.",
        content
    ),
    case!(
        "notify.not_early",
        Must,
        &["R2.2.12-1"],
        "Send no notification before the entity is complete.",
        not_early
    ),
    case!(
        "notify.once",
        Should,
        &["R2.2.12-1"],
        "Send one notification for an entity, even if the client repeats the last fragment.",
        once
    ),
    case!(
        "notify.cancelled",
        Must,
        &["R2.2.12-1"],
        "Send no notification for an entity whose session is cancelled before it is complete.",
        cancelled
    ),
    case!(
        "notify.incomplete",
        Must,
        &["R2.2.12-1"],
        "Send no notification for an entity whose session is closed before it is complete.",
        incomplete
    ),
    case!(
        "notify.failure",
        Must,
        &["R3.2.5.2.6-4", "R3.4.5.2-7"],
        "Refuse the last fragment if the application refuses the entity.",
        failure
    ),
    case!(
        "notify.failure.context",
        Must,
        &["R2.2.1.2-8", "R3.2.5.2.6-4"],
        "Send BITS-Error-Context: 0x7 if the application refuses the entity, so that the client blames it.",
        failure_context
    ),
    case!(
        "notify.failure.again",
        Robustness,
        &["R3.2.5.2.6-4"],
        "Notify the application again when the client repeats the last fragment after a failure.",
        failure_again
    ),
    case!(
        "notify.lost",
        Must,
        &["R3.2.5.2.6-4", "R3.3.6.2-1"],
        "Refuse the last fragment if the application closes the connection without a response.",
        lost
    ),
    case!(
        "notify.reply",
        Must,
        &["R2.2.7.2-6", "R3.2-2"],
        "Send BITS-Reply-URL in the Ack of the last fragment if the application returns a reply.",
        reply
    ),
    case!(
        "notify.reply.content",
        Must,
        &["R3.3.5.2.6-1", "R2.2.13.3-1"],
        "Serve exactly the bytes of the application's reply at BITS-Reply-URL.",
        reply_content
    ),
    case!(
        "notify.reply.again",
        Must,
        &["R2.2.7.2-6"],
        "Send BITS-Reply-URL again when the client repeats the last fragment: it may have lost the Ack.",
        reply_again
    ),
    case!(
        "notify.reply.removed",
        Should,
        &["R2.2.8-2", "R3.2.5.2.7-4"],
        "Delete the reply when the session is closed.",
        reply_removed
    ),
    case!(
        "notify.static_url",
        Must,
        &["R2.2.13.2-1", "R2.2.7.2-6"],
        "Pass BITS-Static-Response-URL of the application on as BITS-Reply-URL.",
        static_url
    ),
];

fn application(test: &Test) -> Result<&Application, Stop> {
    test.shared.application.as_ref().ok_or_else(|| Stop::Skip(NEEDS_APPLICATION.into()))
}

fn name(session: &Session) -> &str {
    session.path.rsplit('/').next().unwrap_or_default()
}

/// Creates a session whose notification receives this response.
async fn session(test: &mut Test, length: u64, response: Response) -> Result<Session, Stop> {
    application(test)?;
    let session = test.session(length).await?;
    application(test)?.respond(name(&session), response);
    Ok(session)
}

/// Sends all bytes. The case is skipped if the server sends no notification.
async fn complete(test: &Test, session: &mut Session) -> Result<Answer, Stop> {
    let length = session.content.length;
    let answer = session.fragment(0..length).await?;
    match application(test)?.received(name(session)).is_empty() {
        true => Err(Stop::Skip("server sends no notification; see notify.sent".into())),
        false => Ok(answer),
    }
}

/// Uploads an entity and returns its notification.
async fn notification(test: &mut Test, length: u64) -> Result<(Session, Notification), Stop> {
    let mut session = session(test, length, Response::status(200)).await?;
    complete(test, &mut session).await?.accepted(length)?;
    let first = application(test)?.received(name(&session)).into_iter().next();
    Ok((session, first.unwrap_or_default()))
}

/// Requires this number of notifications.
fn count(test: &Test, session: &Session, expected: usize) -> Outcome {
    let count = application(test)?.received(name(session)).len();
    if count == expected {
        return Ok(());
    }
    Err(Stop::Fail(format!("expected {expected} notifications; received {count}")))
}

async fn sent(test: &mut Test) -> Outcome {
    let mut session = session(test, 81, Response::status(200)).await?;
    session.accept(0..81).await?;
    count(test, &session, 1)
}

async fn valid(test: &mut Test) -> Outcome {
    let (_, notification) = notification(test, 82).await?;
    let error = notification.error.map(|it| Stop::Fail(format!("notification is invalid: {it}")));
    error.map_or(Ok(()), Err)
}

async fn original_url(test: &mut Test) -> Outcome {
    let (session, notification) = notification(test, 83).await?;
    let url = notification.field("BITS-Original-Request-URL").unwrap_or_default();
    let is_absolute = url.starts_with("http://") || url.starts_with("https://");
    if is_absolute && url.ends_with(&session.path) {
        return Ok(());
    }
    Err(Stop::Fail(format!("expected the absolute URL of {}; received {url:?}", session.path)))
}

async fn content(test: &mut Test) -> Outcome {
    let (session, notification) = notification(test, 84).await?;
    let (length, file) = (notification.body.len(), notification.data_file());
    match file {
        None if notification.body == session.content.all() => Ok(()),
        None => {
            Err(Stop::Fail(format!("expected the entity of 84 bytes; received {length} bytes")))
        }
        Some(_) if length > 0 => {
            Err(Stop::Fail("notification has both the name of a file and a body".into()))
        }
        Some(_) if notification.reply_file().is_none() => {
            Err(Stop::Fail("notification has no BITS-Response-DataFile-Name".into()))
        }
        Some(_) => Ok(()),
    }
}

async fn not_early(test: &mut Test) -> Outcome {
    let mut session = session(test, 85, Response::status(200)).await?;
    session.accept(0..84).await?;
    count(test, &session, 0)
}

async fn once(test: &mut Test) -> Outcome {
    let mut session = session(test, 86, Response::status(200)).await?;
    complete(test, &mut session).await?.accepted(86)?;
    session.fragment(0..86).await?.accepted_or_out_of_step(86, 86)?;
    session.close().await?.success()?;
    count(test, &session, 1)
}

async fn cancelled(test: &mut Test) -> Outcome {
    let mut session = session(test, 87, Response::status(200)).await?;
    session.accept(0..50).await?;
    session.cancel().await?;
    count(test, &session, 0)
}

async fn incomplete(test: &mut Test) -> Outcome {
    let mut session = session(test, 88, Response::status(200)).await?;
    session.accept(0..50).await?;
    session.close().await?;
    count(test, &session, 0)
}

async fn failure(test: &mut Test) -> Outcome {
    let mut session = session(test, 89, Response::status(403)).await?;
    complete(test, &mut session).await?.refused()
}

async fn failure_context(test: &mut Test) -> Outcome {
    let mut session = session(test, 90, Response::status(403)).await?;
    let answer = complete(test, &mut session).await?;
    if answer.context == Some(ErrorContext::REMOTE_APPLICATION) {
        return Ok(());
    }
    answer.fail("BITS-Error-Context: 0x7")
}

async fn failure_again(test: &mut Test) -> Outcome {
    let mut session = session(test, 91, Response::status(503)).await?;
    complete(test, &mut session).await?.refused()?;
    application(test)?.respond(name(&session), Response::status(200));
    session.fragment(0..91).await?.accepted_or_out_of_step(91, 91)?;
    count(test, &session, 2)?;
    test.complete(&mut session).await
}

async fn lost(test: &mut Test) -> Outcome {
    let response = Response { is_lost: true, ..Response::status(200) };
    let mut session = session(test, 92, response).await?;
    complete(test, &mut session).await?.refused()
}

/// Uploads an entity whose reply is in the body of the response.
async fn replied(test: &mut Test, length: u64) -> Result<(Session, String), Stop> {
    let response = Response { body: REPLY.to_vec(), ..Response::status(200) };
    let mut session = session(test, length, response).await?;
    let answer = complete(test, &mut session).await?;
    answer.accepted(length)?;
    let is_by_value = |it: &Notification| it.data_file().is_none();
    if !application(test)?.received(name(&session)).iter().all(is_by_value) {
        return Err(Stop::Skip("needs notification by value".into()));
    }
    match answer.field("BITS-Reply-URL") {
        Some(url) => Ok((session, url)),
        None => answer.fail("BITS-Reply-URL"),
    }
}

async fn reply(test: &mut Test) -> Outcome {
    replied(test, 93).await.map(drop)
}

/// Downloads a reply.
async fn get_reply(test: &Test, url: &str) -> Result<Answer, Stop> {
    // Windows writes backslashes in paths.
    match test.shared.target.path_of(&url.replace('\\', "/")) {
        Some(path) => test.get(&path).await,
        None => Err(Stop::Skip(format!("reply is on another server: {url}"))),
    }
}

async fn reply_content(test: &mut Test) -> Outcome {
    let (_session, url) = replied(test, 94).await?;
    let answer = get_reply(test, &url).await?;
    if answer.status == 200 && answer.body == REPLY {
        return Ok(());
    }
    answer.fail("200 with the bytes of the reply")
}

async fn reply_again(test: &mut Test) -> Outcome {
    let (mut session, url) = replied(test, 95).await?;
    let answer = session.fragment(0..95).await?;
    if answer.status == 416 {
        return Err(Stop::NotApplicable("server answers repeated fragments with 416".into()));
    }
    match answer.field("BITS-Reply-URL") {
        Some(again) if again == url => Ok(()),
        _ => answer.fail(&format!("BITS-Reply-URL: {url}")),
    }
}

async fn reply_removed(test: &mut Test) -> Outcome {
    let (mut session, url) = replied(test, 96).await?;
    get_reply(test, &url).await?.success()?;
    session.close().await?.success()?;
    get_reply(test, &url).await?.refused()
}

async fn static_url(test: &mut Test) -> Outcome {
    let url = "http://127.0.0.1/static/reply.bin";
    let fields = vec![("BITS-Static-Response-URL", url.to_owned())];
    let mut session = session(test, 97, Response { fields, ..Response::status(200) }).await?;
    let answer = complete(test, &mut session).await?;
    answer.accepted(97)?;
    match answer.field("BITS-Reply-URL") {
        Some(received) if received == url => Ok(()),
        _ => answer.fail(&format!("BITS-Reply-URL: {url}")),
    }
}
