//! Steps of sessions, compared with httparse alone on the head of one Fragment.

use std::hint::black_box;
use std::time::Duration;

use bits_proto::client::{Options, Poll, Upload};
use bits_proto::field::{ContentRange, Protocol, SessionId};
use bits_proto::message::{Ack, CreateSession, CreateSessionAck, Fragment, FragmentAck, Request};
use bits_proto::server::{Access, Policy, Session, Step};

use super::heads::Head;
use super::{Group, MaxRatios, Pair, baseline};

const FRAGMENT: u64 = 1 << 20;
const TOTAL: u64 = u64::MAX;
pub const NOW: Duration = Duration::from_secs(1_700_000_000);

pub fn group(heads: &'static [Head]) -> Group {
    let head = heads.iter().find(|head| head.name.ends_with("-fragment")).expect("a Fragment");
    let floor = move || baseline::httparse_alone(&head.bytes);
    Group {
        name: "step",
        pairs: vec![
            Pair::new("server", server_step(), floor),
            Pair::new("client", client_step(), floor),
        ],
        each: MaxRatios { instructions: 0.25, time: 0.25 },
        mean: None,
    }
}

/// Handles a fragment on the server, from the request to the Ack.
pub fn server_step() -> impl FnMut() {
    let create = CreateSession::default();
    let created = Session::create(&create, Access::Granted, &Policy::DEFAULT, [7; 16], NOW);
    let mut session = created.expect("granted").0;
    // As in a request that was parsed, the id borrows its text.
    let text: &str = session.session_id().to_string().leak();
    let session_id = SessionId::try_from(text).expect("a session id");
    let mut next = 0;
    move || {
        let range = ContentRange::new(next, next + FRAGMENT - 1, TOTAL).expect("a valid range");
        next += FRAGMENT;
        let request = Request::from(Fragment::new(session_id, range));
        let step =
            session.handle_request(black_box(&request), Access::Granted, &Policy::DEFAULT, NOW);
        let Step::Store(store) = step else { panic!("{step:?}") };
        match session.handle_stored(store.token, store.take, &Policy::DEFAULT, NOW) {
            Ok(Step::Answer(answer)) => drop(black_box(answer.ack(None))),
            other => panic!("{other:?}"),
        }
    }
}

/// Handles a fragment on the client, from the request to the Ack.
pub fn client_step() -> impl FnMut() {
    let session_id = SessionId::from_random([7; 16]);
    let mut upload = Upload::new(TOTAL, Options::DEFAULT, 7);
    exchange(&mut upload, &CreateSessionAck::new(Protocol::BITS_1_5, session_id).into());
    move || {
        let Poll::Send(transmit) = upload.poll() else { panic!("expected Send") };
        let Request::Fragment(fragment) = black_box(transmit.request()) else {
            panic!("expected a Fragment")
        };
        let ack = FragmentAck::new(session_id, fragment.content_range.received());
        exchange(&mut upload, &ack.into());
    }
}

fn exchange(upload: &mut Upload, ack: &Ack<'_>) {
    upload.handle_sending(NOW).expect("a request is due");
    upload.handle_sent(NOW).expect("a request is being sent");
    upload.handle_ack(black_box(ack), NOW).expect("the expected Ack");
}
