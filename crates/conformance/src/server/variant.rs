//! Cases that consist of one request which differs from an ordinary one.

use super::answer::Answer;
use super::entry::{Outcome, Stop};
use super::packet::Packet;
use super::session::Session;
use super::test::Test;

/// The length of the entity of a variant.
const LENGTH: u64 = 20;
/// The length of its first fragment.
const FIRST: u64 = 10;

/// An ordinary request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Ping,
    Create,
    /// The first fragment of a session: bytes 0 to 9 of 20.
    Fragment,
    /// After all bytes.
    Close,
    /// After the first fragment.
    Cancel,
}

/// A change of the request.
#[derive(Clone, Copy)]
pub(super) enum Edit {
    Set(&'static str, &'static str),
    Add(&'static str, &'static str),
    Remove(&'static str),
    Body(&'static [u8]),
    Change(fn(Packet) -> Packet),
}

/// The expected reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// The request has its ordinary effect.
    Accepted,
    /// The request is refused and has no effect.
    Refused,
    /// The request is refused, or the connection ends. It has no effect.
    RefusedOrClosed,
    /// The request is refused with this error code and has no effect.
    Code(u32),
    /// The request has its ordinary effect, or it is refused and has no effect.
    Answered,
}

/// A request and the expected reaction.
#[derive(Clone, Copy)]
pub(super) struct Variant {
    pub(super) base: Base,
    pub(super) edits: &'static [Edit],
    pub(super) expect: Expect,
}

impl Variant {
    fn apply(&self, packet: Packet) -> Packet {
        self.edits.iter().fold(packet, |packet, edit| match edit {
            Edit::Set(name, value) => packet.set(name, value),
            Edit::Add(name, value) => packet.add(name, value),
            Edit::Remove(name) => packet.remove(name),
            Edit::Body(body) => packet.body(body),
            Edit::Change(change) => change(packet),
        })
    }

    /// Judges a response, and returns true if the request was accepted.
    fn judge(&self, answer: Option<&Answer>) -> Result<bool, Stop> {
        let Some(answer) = answer else {
            return match self.expect {
                Expect::RefusedOrClosed => Ok(false),
                _ => Err(Stop::Fail("expected a response; the connection ended".into())),
            };
        };
        match self.expect {
            Expect::Accepted => answer.success().map(|()| true),
            Expect::Refused | Expect::RefusedOrClosed => answer.refused().map(|()| false),
            Expect::Code(code) => answer.refused_with(code).map(|()| false),
            Expect::Answered if answer.is_success() => Ok(true),
            Expect::Answered => answer.refused().map(|()| false),
        }
    }

    pub(super) async fn run(&self, test: &mut Test) -> Outcome {
        match self.base {
            Base::Ping => self.ping(test).await,
            Base::Create => self.create(test).await,
            Base::Fragment => self.fragment(test).await,
            Base::Close => self.close(test).await,
            Base::Cancel => self.cancel(test).await,
        }
    }

    async fn ping(&self, test: &mut Test) -> Outcome {
        let packet = self.apply(test.ping());
        let mut connection = test.connect().await?;
        connection.send(&packet).await?;
        self.judge(connection.answer_or_end().await?.as_ref()).map(drop)
    }

    async fn create(&self, test: &mut Test) -> Outcome {
        let path = test.new_path();
        let packet = self.apply(test.create(&path));
        let mut connection = test.connect().await?;
        connection.send(&packet).await?;
        let answer = connection.answer_or_end().await?;
        if !self.judge(answer.as_ref())? {
            return Ok(());
        }
        match answer {
            Some(answer) => {
                let mut session = test.opened(connection, &answer, &path, LENGTH)?;
                test.complete(&mut session).await
            }
            None => Ok(()),
        }
    }

    /// Sends the request on the connection of a session.
    async fn send(&self, session: &mut Session, packet: Packet) -> Result<bool, Stop> {
        let packet = self.apply(packet);
        if session.connection.is_closed {
            session.reconnect().await?;
        }
        session.connection.send(&packet).await?;
        let answer = session.connection.answer_or_end().await?;
        let is_accepted = self.judge(answer.as_ref())?;
        // The end of a malformed request may be uncertain.
        session.reconnect().await?;
        Ok(is_accepted)
    }

    async fn fragment(&self, test: &mut Test) -> Outcome {
        let mut session = test.session(LENGTH).await?;
        let packet = session.fragment_packet(0..FIRST);
        if self.send(&mut session, packet).await? {
            session.next = FIRST;
        } else {
            // Nothing may be stored, so the same bytes are accepted now.
            session.accept(0..FIRST).await?;
        }
        test.complete(&mut session).await
    }

    async fn close(&self, test: &mut Test) -> Outcome {
        let mut session = test.session(LENGTH).await?;
        session.accept(0..LENGTH).await?;
        let packet = session.packet("Close-Session");
        if !self.send(&mut session, packet).await? {
            session.close().await?.success()?;
        }
        test.has_content(&session.path, session.content).await
    }

    async fn cancel(&self, test: &mut Test) -> Outcome {
        let mut session = test.session(LENGTH).await?;
        session.accept(0..FIRST).await?;
        let packet = session.packet("Cancel-Session");
        if self.send(&mut session, packet).await? {
            let answer = session.fragment(FIRST..LENGTH).await?;
            return answer.refused();
        }
        test.complete(&mut session).await
    }
}
