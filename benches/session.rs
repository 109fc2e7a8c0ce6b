//! What a step of a session costs, and that it allocates nothing.
//!
//! ```sh
//! cargo bench --bench session
//! ```

use core::hint::black_box;
use core::time::Duration;

use bits_proto::client::{Options, Poll, Upload};
use bits_proto::field::{ContentRange, Protocol, SessionId};
use bits_proto::message::{Ack, CreateSession, CreateSessionAck, Fragment, FragmentAck, Request};
use bits_proto::server::{Access, Policy, Session, Step};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const FRAGMENT: u64 = 1 << 20;
const TOTAL: u64 = u64::MAX;
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn main() {
    divan::main();
}

fn session() -> Session {
    let create = CreateSession::default();
    let created = Session::create(&create, Access::Granted, &Policy::DEFAULT, [7; 16], NOW);
    created.expect("it is granted").0
}

fn fragment(first: u64, session_id: SessionId<'_>) -> Request<'_> {
    let range = ContentRange::new(first, first + FRAGMENT - 1, TOTAL).expect("it is a range");
    Fragment::new(session_id, range).into()
}

/// From a fragment to its Ack: what to store, and what to answer when it is stored.
#[divan::bench(sample_size = 1000, sample_count = 200)]
fn server_step(bencher: Bencher<'_, '_>) {
    let mut session = session();
    let id = session.session_id().to_string();
    let session_id = SessionId::try_from(id.as_str()).expect("it was issued");
    let policy = Policy::DEFAULT;
    let mut next = 0;
    let requests = bencher.with_inputs(|| {
        let request = fragment(next, session_id);
        next += FRAGMENT;
        request
    });
    requests.bench_local_refs(|request| {
        let step = session.handle_request(request, Access::Granted, &policy, NOW);
        let Step::Store(store) = step else { panic!("{step:?}") };
        match session.handle_stored(store.turn, store.take, &policy, NOW) {
            Ok(Step::Answer(answer)) => answer.ack(None),
            other => panic!("{other:?}"),
        }
    });
}

/// From what to send to its Ack.
#[divan::bench(sample_size = 1000, sample_count = 200)]
fn client_step(bencher: Bencher<'_, '_>) {
    let session_id = SessionId::from_random([7; 16]);
    let mut upload = Upload::new(TOTAL, Options::DEFAULT, 7);
    let created = CreateSessionAck::new(Protocol::BITS_1_5, session_id).into();
    exchange(&mut upload, &created);
    bencher.bench_local(|| {
        let Poll::Send(outgoing) = upload.poll() else { panic!("nothing to send") };
        let Request::Fragment(fragment) = black_box(outgoing.request) else {
            panic!("no fragment")
        };
        let ack = FragmentAck::new(session_id, fragment.content_range.received());
        exchange(&mut upload, &ack.into());
    });
}

fn exchange(upload: &mut Upload, ack: &Ack<'_>) {
    upload.handle_sending(NOW).expect("it is due");
    upload.handle_sent(NOW).expect("it is being sent");
    upload.handle_ack(black_box(ack), NOW).expect("it is the right one");
}

/// What a store of sessions pays for each.
#[divan::bench(sample_size = 1000, sample_count = 200)]
fn copy_of_a_session(bencher: Bencher<'_, '_>) {
    let session = session();
    bencher.bench_local(|| *black_box(&session));
}
