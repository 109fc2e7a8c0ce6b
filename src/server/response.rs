//! Outputs of `Sessions`: answers with their reply URL, and errors.

use alloc::boxed::Box;
use core::fmt;

use super::{Answer, EventError, Record, UnreadBody};
use crate::field::ReplyUrl;
use crate::message::Ack;
use crate::util::external::external;

/// Answer to a request, including its reply URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionsResponse<'p> {
    ack: Ack<'p>,
    reply_url: Option<(Answer, Box<[u8]>)>,
    /// Handling of the part of the body that was not read; see [`Answer::unread_body`].
    pub unread_body: UnreadBody,
}

impl<'p> SessionsResponse<'p> {
    pub(super) const fn new(ack: Ack<'p>, unread_body: UnreadBody) -> Self {
        Self { ack, reply_url: None, unread_body }
    }

    pub(super) fn of(answer: Answer, record: &Record) -> Self {
        let url = if answer.has_reply_url() { record.reply_url.as_deref() } else { None };
        Self {
            ack: answer.ack(None),
            reply_url: url.map(|url| (answer, external(|| url.into()))),
            unread_body: answer.unread_body,
        }
    }

    /// Returns the Ack to send.
    #[must_use]
    pub fn ack(&self) -> Ack<'_> {
        match &self.reply_url {
            Some((answer, url)) => answer.ack(ReplyUrl::try_from(&**url).ok()),
            None => self.ack,
        }
    }
}

/// Error of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SessionsError<E> {
    /// The store failed.
    Store(E),
    /// The session rejected the report. An unknown session gives [`EventError::StaleToken`].
    Event(EventError),
}

impl<E> fmt::Display for SessionsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(_) => f.write_str("session store failed"),
            Self::Event(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SessionsError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            // Displayed as the error it wraps, so the source is that error's own.
            Self::Event(error) => error.source(),
        }
    }
}
