//! The script of a case: the responses of its server, and the expected result.

use super::entry::Outcome;
use super::message::{Reply, Request};
use super::setup::Setup;

/// The expected result of the transfer.
///
/// A client that reports success always needs a complete copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// The client reports success.
    Finishes,
    /// The client reports a failure.
    GivesUp,
    /// The client reports success or a failure.
    Ends,
    /// The client does not report success. It may retry for a long time, so it is stopped soon.
    NoSuccess,
    /// The client does not report success with a wrong copy. It may retry for a long time, so it is stopped soon.
    NoWrongCopy,
    /// The client reports success after a time limit of its own. A client that still waits is not judged.
    Recovers,
}

/// Decision of a server that has read the head of a request.
#[derive(Clone, Debug)]
pub(super) enum BodyAction {
    /// Reads the body. The response follows.
    Read,
    /// Reads the first bytes of the body. The request is incomplete then.
    ReadPart(usize),
    /// Responds before the body is read.
    Respond(Reply),
}

/// A server that is scripted.
pub(super) trait Model: Send + 'static {
    fn new(setup: Setup) -> Self;

    /// Records a request whose head has arrived.
    fn record(&mut self, request: &Request);

    /// Returns all requests without their bodies, in order.
    fn requests(&self) -> &[Request];

    /// Responds as the specification requires.
    fn respond(&mut self, request: &Request) -> Reply;

    /// Allows the client to repeat a request that the script refuses.
    fn allow_again(&mut self, request: &Request);

    /// Returns false if connections to the other host are refused.
    fn has_host(&self) -> bool;

    /// Verifies the copy of the file after a client has reported success.
    fn verify(&mut self) -> Outcome;

    /// Judges the requests of every transfer with the expected result.
    fn check(&self) -> Outcome;

    /// Returns the reason why the script could not do what the case is about, if that is due to a choice that
    /// clients have.
    fn not_reached(&self) -> Option<String>;
}

/// The script of a case.
pub(super) struct Scenario<M> {
    /// The length of the file in bytes.
    pub(super) length: u64,
    pub(super) expect: Expect,
    pub(super) needs: Needs,
    /// Decides about the body of a request whose head has arrived.
    pub(super) head: fn(&mut M, &Request) -> BodyAction,
    /// Returns the response to a request.
    pub(super) answer: fn(&mut M, &Request) -> Reply,
    /// Judges the requests of a transfer with the expected result.
    pub(super) check: fn(&M) -> Outcome,
}

/// Parts of the command and of the machine that a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// `{user}` and `{password}`.
    Credentials,
    /// A command without `{user}`.
    NoCredentials,
    /// `{reply}`.
    Reply,
    /// A command without `{reply}`.
    NoReply,
    /// `{user}`, `{password}` and `{reply}`.
    CredentialsAndReply,
    /// A second address.
    Host,
    /// The client uses a proxy that requires credentials.
    Proxy,
}

impl<M> Clone for Scenario<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Scenario<M> {}

impl<M> Scenario<M> {
    pub(super) const fn new(
        expect: Expect,
        length: u64,
        answer: fn(&mut M, &Request) -> Reply,
    ) -> Self {
        let head = |_: &mut M, _: &Request| BodyAction::Read;
        Self { length, expect, needs: Needs::Nothing, head, answer, check: |_| Ok(()) }
    }

    pub(super) const fn on_head(mut self, head: fn(&mut M, &Request) -> BodyAction) -> Self {
        self.head = head;
        self
    }

    pub(super) const fn check(mut self, check: fn(&M) -> Outcome) -> Self {
        self.check = check;
        self
    }

    pub(super) const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
}
