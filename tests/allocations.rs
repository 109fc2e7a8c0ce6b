//! Parsing and writing messages, observing them, and displaying errors does not allocate. A store of sessions frees
//! what it allocates.

#[path = "support/counted.rs"]
mod counted;
#[path = "allocations/downloads.rs"]
mod downloads;
#[cfg(feature = "alloc")]
#[path = "allocations/memory_store.rs"]
mod memory_store;
mod support;

use std::fmt::{self, Write as _};
use std::time::Duration;

use bits_proto::Error;
use bits_proto::client::{Options, Poll, State, Upload};
use bits_proto::http1::{Progress, RequestTarget, StartLine};
use bits_proto::message::{
    Ack, AckContext, CreateSession, Decoded, Encoder, Extras, Head, HeaderSlots, MessageKind,
    NO_EXTRAS, NotificationRequest, NotificationResponse, ParseOptions, Refusal, Request,
    RequestHead, ResponseHead,
};
use bits_proto::observer::{Observer, Violation};
use bits_proto::server::{self, Access, Session, Step};
use counted::allocations;
use support::read::{ack_context, is_extra};
use support::vectors::{self, Message};

/// Counts of what was done, to detect a run that did nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    heads: usize,
    messages: usize,
    errors: usize,
}

/// A buffer for text on the stack.
struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Done {
    /// Displays an error, and builds the refusal that a server would send.
    fn show(&mut self, error: Error) {
        let mut text = Text { bytes: [0; 1024], len: 0 };
        write!(text, "{error} {error:?}").expect("room for an error");
        assert!(text.len > 0);
        let refusal = Ack::Refused(Refusal::for_error(&error, &ParseOptions::DEFAULT));
        let refusal = refusal.encode(&NO_EXTRAS).and_then(|head| head.write(&mut [0; 256]));
        assert!(refusal.is_ok(), "{refusal:?}");
        self.errors += 1;
    }

    fn write(&mut self, encoder: Result<Encoder<'_>, Error>, buffer: &mut [u8]) {
        match encoder {
            Ok(encoder) => assert_eq!(encoder.write(buffer), Ok(encoder.encoded_len())),
            Err(error) => self.show(error),
        }
        self.messages += 1;
    }

    /// Returns a decoded message, or displays the error or the deviations.
    fn decoded<T>(&mut self, result: Result<Decoded<T>, Error>) -> Option<T> {
        match result {
            Ok(Decoded { message, deviations }) => {
                let mut text = Text { bytes: [0; 1024], len: 0 };
                write!(text, "{deviations}").expect("room for the deviations");
                Some(message)
            }
            Err(error) => {
                self.show(error);
                None
            }
        }
    }

    fn head<'h, 'b, L: StartLine<'b>>(
        &mut self,
        bytes: &'b [u8],
        slots: &'h mut HeaderSlots<'b, 64>,
    ) -> Option<Head<'h, 'b, L>> {
        self.heads += 1;
        match Head::parse(bytes, slots) {
            Ok(Progress::Complete(head)) => Some(head),
            Ok(Progress::Partial) => None,
            Err(error) => {
                self.show(error);
                None
            }
        }
    }

    fn request(&mut self, bytes: &[u8], buffer: &mut [u8]) {
        let mut slots = HeaderSlots::new();
        let Some(head) = self.head(bytes, &mut slots) else { return };
        let head: RequestHead<'_, '_> = head;
        let target = RequestTarget::try_from(head.line().target);
        for policy in [ParseOptions::DEFAULT, ParseOptions::LENIENT] {
            if let Some(request) = self.decoded(Request::from_head(&head, &policy)) {
                let extras = stored(&head, request.kind());
                self.write(target.and_then(|target| request.encode(target, &extras)), buffer);
            }
        }
        if let Some(request) = self.decoded(NotificationRequest::from_head(&head)) {
            let extras = stored(&head, request.kind());
            self.write(target.and_then(|target| request.encode(target, &extras)), buffer);
        }
    }

    fn response(&mut self, bytes: &[u8], ack_context: &AckContext<'_>, buffer: &mut [u8]) {
        let mut slots = HeaderSlots::new();
        let Some(head) = self.head(bytes, &mut slots) else { return };
        let head: ResponseHead<'_, '_> = head;
        if let Some(ack) = self.decoded(Ack::from_head(&head, ack_context)) {
            self.write(ack.encode(&stored(&head, ack.kind())), buffer);
        }
        if let Some(response) = self.decoded(NotificationResponse::from_head(&head)) {
            let extras = stored(&head, MessageKind::NotificationResponse);
            self.write(response.encode(&extras), buffer);
        }
    }
}

/// Stores the fields of a head that a message of this kind does not write, on the stack.
fn stored<'b, L: StartLine<'b>>(head: &Head<'_, 'b, L>, kind: MessageKind) -> Extras<[u8; 16384]> {
    let fields = head.fields().filter(|(name, _)| is_extra(kind, name));
    Extras::from_fields([0; 16384], fields).expect("fields that were parsed, and enough space")
}

/// Parses and writes one message in every possible way.
fn run(message: &Message, buffer: &mut [u8]) -> Done {
    let mut done = Done::default();
    if message.is_response() {
        done.response(&message.bytes, &ack_context(&message.ack_context), buffer);
    } else {
        done.request(&message.bytes, buffer);
    }
    done
}

#[test]
fn reading_and_writing_the_vectors_allocates_nothing() {
    let messages = vectors::all();
    let mut buffer = vec![0; 16384];
    let mut total = Done::default();
    for message in &messages {
        let (count, done) = allocations(|| run(message, &mut buffer));
        assert_eq!(count, 0, "{}: {done:?}", message.name);
        total.heads += done.heads;
        total.messages += done.messages;
        total.errors += done.errors;
    }
    assert_eq!(total.heads, messages.len());
    assert!(total.messages > 150 && total.errors > 150, "{total:?}");
}

#[test]
fn a_buffer_too_small_allocates_nothing() {
    let ack = Ack::Ping(bits_proto::message::PingAck);
    let (count, done) = allocations(|| {
        let mut done = Done::default();
        let mut extras = Extras::from_fields([0; 64], [("Server", "example")]).expect("a field");
        extras.set("Server", "another").expect("a value");
        let encoder = ack.encode(&extras).expect("a good extra");
        done.show(encoder.write(&mut [0; 8]).expect_err("eight bytes"));
        done
    });
    assert_eq!((count, done.errors), (0, 1));
}

#[test]
fn the_steps_of_a_session_and_of_an_upload_allocate_nothing() {
    let now = Duration::from_secs(1);
    let policy = server::Policy::DEFAULT;
    let total = 100 * 1024 * 1024;
    let mut upload = Upload::new(total, Options::DEFAULT, 7);
    let (count, steps) = allocations(|| {
        let create = CreateSession::default();
        let created = Session::create(&create, Access::Granted, &policy, [7; 16], now);
        let Ok((mut session, created)) = created else { return 0 };
        let mut steps = 0;
        while !upload.state().is_terminal() {
            let Poll::Send(transmit) = upload.poll() else { return 0 };
            let ack = match &transmit.request() {
                Request::CreateSession(_) => Ack::from(created),
                request => {
                    let mut step = session.handle_request(request, Access::Granted, &policy, now);
                    loop {
                        let next = match step {
                            Step::Store(it) => {
                                session.handle_stored(it.token, it.take, &policy, now)
                            }
                            Step::Commit(turn) => session.handle_committed(turn),
                            Step::Answer(answer) => break answer.ack(None),
                            _ => return 0,
                        };
                        let Ok(next) = next else { return 0 };
                        step = next;
                    }
                }
            };
            let results = [upload.handle_sending(now), upload.handle_sent(now)];
            if results.iter().any(Result::is_err) || upload.handle_ack(&ack, now).is_err() {
                return 0;
            }
            steps += 1;
        }
        steps
    });
    assert_eq!((count, steps, upload.state()), (0, 102, State::Finished));
}

/// All vectors as one inconsistent conversation.
#[test]
fn an_observer_allocates_nothing() {
    let messages = vectors::all();
    let mut observer = Observer::new();
    let mut violations = 0;
    for message in &messages {
        let (count, seen) = allocations(|| watch(&mut observer, message));
        assert_eq!(count, 0, "{}", message.name);
        violations += seen;
    }
    assert!(violations > 200, "{violations} violations");
}

/// Returns the number of violations of a message, after displaying each.
fn watch(observer: &mut Observer, message: &Message) -> usize {
    let mut seen = 0;
    let report = |violation: Violation| {
        let mut text = Text { bytes: [0; 1024], len: 0 };
        let (rule, section) = (violation.rule(), violation.section());
        assert!(write!(text, "{rule} {section} {}: {violation}", violation.severity()).is_ok());
        seen += 1;
    };
    if message.is_response() {
        match ResponseHead::parse(&message.bytes, &mut HeaderSlots::new()) {
            Ok(Progress::Complete(head)) => observer.handle_response(1, &head, report),
            Ok(Progress::Partial) => observer.handle_disconnected(1),
            Err(error) => observer.handle_malformed_response(1, &error, report),
        }
    } else {
        // Each uses a new connection, so that the next response answers it.
        observer.handle_disconnected(1);
        match RequestHead::parse(&message.bytes, &mut HeaderSlots::new()) {
            Ok(Progress::Complete(head)) => observer.handle_request(1, &head, report),
            Ok(Progress::Partial) => observer.handle_disconnected(1),
            Err(error) => observer.handle_malformed_request(1, &error, report),
        }
    }
    seen
}

/// Checks the counter itself; the other tests would pass with one that stays at zero.
#[test]
fn allocations_are_counted() {
    let (count, boxed) = allocations(|| Box::new(7));
    assert_eq!((count, *boxed), (1, 7));
    let (count, grown) = allocations(|| {
        let mut bytes = Vec::with_capacity(1);
        bytes.extend([0_u8; 100]);
        bytes
    });
    assert!(count >= 2, "{count} allocations for {} bytes", grown.len());
    let other = std::thread::spawn(|| vec![0; 100].len());
    let (count, len) = allocations(|| other.join().expect("a thread that ends"));
    assert_eq!((count, len), (0, 100), "other threads have counters of their own");
}
