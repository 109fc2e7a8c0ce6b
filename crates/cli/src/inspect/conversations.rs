//! The observed conversations, found by their participants or by a connection.

use std::collections::{BTreeMap, BTreeSet};

use bits_proto::observer::{DownloadObserver, Observer};

use crate::inspect::source::ConnectionId;

pub struct Conversation {
    pub observer: Observer,
    pub downloads: DownloadObserver,
    /// Connections with an unanswered packet.
    pub waiting: BTreeSet<ConnectionId>,
}

/// Identifies the participants of a conversation: the address of the client and the address and
/// port of the server, if the source distinguishes connections, and the path of the upload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub ends: String,
    pub path: String,
}

/// All conversations. An index of each connection leads to those that used it, so that the end of
/// one of many connections does not visit the conversations of the others.
#[derive(Default)]
pub struct Conversations {
    all: Vec<Conversation>,
    by_key: BTreeMap<Key, Vec<usize>>,
    latest_by_path: BTreeMap<String, usize>,
    by_connection: BTreeMap<ConnectionId, Connection>,
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

/// The conversations that used a connection.
#[derive(Default)]
struct Connection {
    /// The one with the latest packet.
    current: Option<usize>,
    all: BTreeSet<usize>,
    /// Those with requests other than packets since the last reset.
    with_requests: BTreeSet<usize>,
}

impl Conversations {
    /// Adds a conversation and returns its number.
    pub fn add(&mut self, key: Key, conversation: Conversation) -> usize {
        let index = self.all.len();
        self.all.push(conversation);
        self.latest_by_path.insert(key.path.clone(), index);
        self.by_key.entry(key).or_default().push(index);
        index
    }

    pub fn get(&self, index: usize) -> &Conversation {
        self.count_visit();
        &self.all[index]
    }

    pub fn get_mut(&mut self, index: usize) -> &mut Conversation {
        self.count_visit();
        &mut self.all[index]
    }

    /// Returns the number of conversations that were visited.
    #[cfg(test)]
    pub fn visits(&self) -> usize {
        self.visits.get()
    }

    fn count_visit(&self) {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
    }

    /// Returns the conversations with a key, the latest first.
    pub fn with_key(&self, key: &Key) -> impl Iterator<Item = usize> + '_ {
        self.by_key.get(key).map_or(&[][..], Vec::as_slice).iter().rev().copied()
    }

    /// Returns the latest conversation with a path.
    pub fn with_path(&self, path: &str) -> Option<usize> {
        self.latest_by_path.get(path).copied()
    }

    /// Returns the conversation with the latest packet on a connection.
    pub fn current(&self, connection: ConnectionId) -> Option<usize> {
        self.by_connection.get(&connection).and_then(|connection| connection.current)
    }

    /// Records that a conversation uses a connection, for a packet or another request.
    pub fn record_request(&mut self, connection: ConnectionId, index: usize, is_packet: bool) {
        let connection = self.by_connection.entry(connection).or_default();
        connection.all.insert(index);
        if is_packet {
            connection.current = Some(index);
        } else {
            connection.with_requests.insert(index);
        }
    }

    /// Removes and returns the conversation with the latest packet on a connection.
    pub fn take_current(&mut self, connection: ConnectionId) -> Option<usize> {
        self.by_connection.get_mut(&connection).and_then(|connection| connection.current.take())
    }

    /// Removes and returns the conversations with requests other than packets on a connection.
    pub fn take_with_requests(&mut self, connection: ConnectionId) -> BTreeSet<usize> {
        let connection = self.by_connection.get_mut(&connection);
        connection.map(|it| std::mem::take(&mut it.with_requests)).unwrap_or_default()
    }

    /// Removes a connection and returns the conversations that used it.
    pub fn remove_connection(&mut self, connection: ConnectionId) -> BTreeSet<usize> {
        self.by_connection.remove(&connection).map(|it| it.all).unwrap_or_default()
    }
}
