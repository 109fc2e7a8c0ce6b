//! Explores small downloads in every order of events: lost and cut responses, crashes, failing storage, and
//! an entity that changes, with servers of every kind.

use std::time::{Duration, Instant};

use bits_proto::download::{
    ByteRange, Download, Exchange, HeaderSlots, Options, Poll, Response, ResponseHead, StopReason,
    Validator,
};
use bits_proto::http1::{Progress, RequestTarget, StatusCode};
use bits_proto::message::NO_EXTRAS;
use stateright::{Checker as _, Expectation, Model, Property};

use crate::support::download_server::{Answer, Server, Several, Version};

/// Time does not pass: a timer is handled when it is due.
const NOW: Duration = Duration::ZERO;

type Ranges = Download<Vec<ByteRange>>;

/// A bug of the caller or the server that the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// The server sends no validator, and the client continues with any version.
    AnyVersion,
    /// The caller loses stored bytes and does not report it.
    SilentLoss,
    /// The caller loses the last byte when it commits.
    CutAtCommit,
    /// The server answers 404.
    NotFound,
}

/// One configuration.
#[derive(Clone, Debug)]
struct Checked {
    bug: Option<Bug>,
    server: Server,
    ranges: Vec<ByteRange>,
    options: Options,
    /// The number of faults and of changes of the entity.
    faults: u8,
    changes: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    download: Ranges,
    /// The download as it was stored last.
    saved: Ranges,
    /// The stored bytes.
    file: Vec<u8>,
    version: Version,
    /// The response in flight, and how much of its body was delivered.
    answer: Option<(Answer, usize)>,
    faults: u8,
    changes: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Send,
    DeliverHead,
    /// Delivers this number of bytes of the body, or all of them.
    DeliverBody(usize),
    EndBody,
    Wait,
    Discard,
    Commit,
    Save,
    Resume,
    // Faults.
    LoseResponse,
    Cut,
    FailStorage,
    Crash,
    Restart,
    Change,
}

const LENGTH: usize = 6;
const SAME_VERSION: &str = "bytes of two versions never mix";
const STORED: &str = "received bytes are stored";
const COMPLETE: &str = "a finished download is complete";
const NEVER_FAILS: &str = "a download never fails for good";
const FINISHES: &str = "sometimes: a download finishes";
const STOPS: &str = "sometimes: a download stops because the server sends no validator";

impl Model for Checked {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let download = Download::new(self.ranges.clone(), self.options, 7);
        vec![World {
            saved: download.clone(),
            download,
            file: Vec::new(),
            version: Version { number: 1, length: LENGTH },
            answer: None,
            faults: self.faults,
            changes: self.changes,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let may_fail = world.faults > 0;
        match (world.download.poll(), &world.answer) {
            (Poll::Send, _) => actions.push(Action::Send),
            (Poll::Discard, _) => actions.push(Action::Discard),
            (Poll::Commit, _) => {
                actions.push(Action::Commit);
                actions.extend(may_fail.then_some(Action::FailStorage));
            }
            (Poll::Wait(_), Some((answer, delivered))) => {
                match world.download.exchange() {
                    Exchange::Awaiting => actions.push(Action::DeliverHead),
                    _ if *delivered == answer.body.len() => actions.push(Action::EndBody),
                    _ => actions.extend([Action::DeliverBody(1), Action::DeliverBody(usize::MAX)]),
                }
                if may_fail {
                    actions.extend([Action::LoseResponse, Action::Cut]);
                }
            }
            (Poll::Wait(_), None) => actions.push(Action::Wait),
            (Poll::Suspended(_), _) => actions.push(Action::Resume),
            _ => {}
        }
        if may_fail && !world.download.state().is_terminal() {
            actions.extend([Action::Crash, Action::Restart]);
        }
        if world.saved != world.download && may_fail {
            actions.push(Action::Save);
        }
        actions.extend((world.changes > 0).then_some(Action::Change));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Send => {
                let target = RequestTarget::try_from("/file").expect("a target");
                let transmit = world.download.transmit().expect("a request");
                assert!(world.download.received() < self.requested(), "no byte is missing");
                let request = transmit.encode(target, &NO_EXTRAS).expect("no extras").to_vec();
                let answer = self.server.answer(&request, &world.version, false);
                world.answer = Some((answer, 0));
                world.download.handle_sending(NOW).expect("ready");
                world.download.handle_sent(NOW).expect("sending");
            }
            Action::DeliverHead if self.bug == Some(Bug::NotFound) => {
                let status = Some(StatusCode::NOT_FOUND);
                world.download.handle_unreadable(status, NOW).expect("awaiting");
            }
            Action::DeliverHead => world.deliver_head(),
            Action::DeliverBody(length) => world.deliver_body(length),
            Action::EndBody => world.download.handle_body_end(NOW).expect("receiving"),
            Action::Wait => {
                let until = world.download.poll_timeout().expect("a timer");
                world.download.handle_timeout(until);
            }
            Action::Discard => {
                world.file.clear();
                world.download.handle_discarded().expect("bytes to discard");
            }
            Action::Commit => {
                let lost = u64::from(self.bug == Some(Bug::CutAtCommit));
                world.file.truncate((world.download.received() - lost) as usize);
                world.download.handle_committed().expect("all bytes");
            }
            Action::Save => world.saved = world.download.clone(),
            Action::Resume => world.download.resume().expect("suspended"),
            Action::LoseResponse | Action::Cut => {
                world.faults -= 1;
                world.download.handle_transport_failure(NOW).expect("in flight");
            }
            Action::FailStorage => {
                world.faults -= 1;
                world.file.truncate(world.file.len() / 2);
                if self.bug != Some(Bug::SilentLoss) {
                    let stored = world.file.len() as u64;
                    world.download.handle_storage_failure(stored).expect("bytes");
                }
            }
            Action::Crash => {
                world.faults -= 1;
                world.download = world.saved.clone();
                let stored = world.file.len() as u64;
                if stored < world.download.received() {
                    world.download.handle_storage_failure(stored).expect("bytes");
                }
                world.download.resume().expect("not ended");
            }
            Action::Restart => {
                world.faults -= 1;
                world.download.restart().expect("not ended");
            }
            Action::Change => {
                world.changes -= 1;
                world.version.number += 1;
            }
        }
        if !world.download.exchange().is_in_flight() {
            world.answer = None;
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SAME_VERSION, |model, world: &World| {
                let received = (world.download.received() as usize).min(world.file.len());
                model.versions_of(&world.file[..received]).next().is_some()
            }),
            Property::always(STORED, |_, world: &World| {
                world.download.received() as usize <= world.file.len()
            }),
            Property::always(COMPLETE, |model, world: &World| {
                world.download.poll() != Poll::Finished
                    || world.file.len() as u64 == model.requested()
            }),
            Property::always(NEVER_FAILS, |_, world: &World| {
                let stop = world.download.poll();
                !matches!(stop, Poll::Failed(_) | Poll::Suspended(StopReason::RangesNotSupported))
            }),
            Property::sometimes(FINISHES, |_, world: &World| {
                world.download.poll() == Poll::Finished
            }),
            Property::sometimes(STOPS, |_, world: &World| {
                world.download.poll() == Poll::Suspended(StopReason::MissingValidator)
            }),
        ]
    }
}

impl Checked {
    /// Returns true if the server can send all ranges in one response, or in several of known version.
    fn can_finish(&self) -> bool {
        let is_one_response = self.ranges.len() < 2 || self.server.several == Several::Parts;
        is_one_response || self.server.identifies_get()
    }

    fn requested(&self) -> u64 {
        match &self.ranges[..] {
            [] => LENGTH as u64,
            ranges => ranges.iter().map(ByteRange::len).sum(),
        }
    }

    /// Returns the versions that have these bytes at their start.
    fn versions_of<'f>(&'f self, file: &'f [u8]) -> impl Iterator<Item = u8> + 'f {
        let whole = ByteRange::whole(LENGTH as u64);
        (1..=3).filter(move |number| {
            let version = Version { number: *number, length: LENGTH };
            let ranges = if self.ranges.is_empty() { whole.as_slice() } else { &self.ranges };
            let bytes = ranges.iter().flat_map(|range| version.bytes(*range));
            bytes.take(file.len()).eq(file.iter().copied())
        })
    }
}

impl World {
    fn deliver_head(&mut self) {
        let Some((answer, _)) = &self.answer else { return };
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&answer.head, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        let response = Response::from_head(&head).expect("a valid response");
        self.download.handle_response(&response, NOW).expect("awaiting");
    }

    fn deliver_body(&mut self, length: usize) {
        let Some((answer, delivered)) = self.answer.as_mut() else { return };
        let body = answer.body.get(*delivered..).unwrap_or_default();
        // A piece ends where the bytes of a range end or within them, to keep the number of states low.
        let mut rest = body;
        let mut stored = 0;
        while !rest.is_empty() && stored < length {
            let piece = if length == 1 { &rest[..1] } else { rest };
            let data = self.download.handle_data(piece, NOW).expect("receiving");
            if let Some(store) = data.store {
                self.file.truncate(store.position as usize);
                self.file.extend_from_slice(store.bytes);
                stored += store.bytes.len();
            }
            rest = &rest[data.consumed.min(rest.len())..];
            if data.is_done {
                return;
            }
        }
        *delivered = answer.body.len() - rest.len();
    }
}

fn range(first: u64, last: u64) -> ByteRange {
    ByteRange::new(first, last).expect("a range")
}

fn servers() -> Vec<Server> {
    let kinds =
        [Several::Parts, Several::Sorted, Several::Merged, Several::Whole, Several::Unsatisfiable];
    let dated = |several| Server {
        several,
        ignores_conditions: false,
        has_tag: false,
        has_date: true,
        identifies_head_only: false,
        is_chunked_first: false,
        supports_ranges: true,
        supports_head: true,
    };
    let tagged =
        |server| Server { ignores_conditions: true, has_tag: true, has_date: false, ..server };
    let unidentified = |server| Server { has_date: false, ..server };
    let identified_by_head = |server| Server { identifies_head_only: true, ..server };
    let variants =
        |server| [server, tagged(server), unidentified(server), identified_by_head(server)];
    kinds.into_iter().flat_map(|kind| variants(dated(kind))).collect()
}

#[test]
fn every_order_of_events_of_a_download_keeps_the_rules() {
    let lists = [vec![], vec![range(1, 3)], vec![range(4, 5), range(0, 1), range(2, 3)]];
    // Nothing depends on time or on random numbers.
    let plain = Options::DEFAULT
        .with_request_timeout(NOW)
        .with_response_timeout(NOW)
        .with_initial_backoff(NOW)
        .with_max_backoff(NOW)
        .with_max_retries(2);
    let options =
        [plain, plain.with_head_first(false).with_max_length(2).with_validator(Validator::IfRange)];
    let (mut configurations, mut states, start) = (0, 0, Instant::now());
    for server in servers() {
        for ranges in &lists {
            for options in options {
                let checked = Checked {
                    bug: None,
                    server,
                    ranges: ranges.clone(),
                    options,
                    faults: 1,
                    changes: 1,
                };
                let checker = checked.clone().checker().threads(2).spawn_dfs().join();
                let found = checker.discoveries();
                for (name, path) in found {
                    if !name.starts_with("sometimes: ") {
                        panic!("violated: {name}\n{checked:#?}\n{:#?}", path.into_actions());
                    }
                }
                let finishes = checker.discovery(FINISHES).is_some();
                assert_eq!(finishes, checked.can_finish(), "{checked:#?}");
                let stops = checker.discovery(STOPS).is_some();
                assert_eq!(stops, !checked.can_finish(), "{checked:#?}");
                configurations += 1;
                states += checker.unique_state_count();
            }
        }
    }
    println!(
        "downloads: {configurations} configurations, {states} states, {:.1?}",
        start.elapsed()
    );
    assert!(states > 10_000, "{states}");
}

/// The bugs, and the property that each violates. Without a date and a tag, versions of equal length cannot be
/// distinguished, and they mix if the caller accepts this risk.
const PLANTED: [(Bug, &str); 4] = [
    (Bug::AnyVersion, SAME_VERSION),
    (Bug::SilentLoss, STORED),
    (Bug::CutAtCommit, COMPLETE),
    (Bug::NotFound, NEVER_FAILS),
];

#[test]
fn each_property_of_a_download_is_violated_by_a_planted_bug_only() {
    let plain = Options::DEFAULT.with_initial_backoff(NOW).with_max_backoff(NOW);
    for ((bug, property), has_bug) in PLANTED.iter().flat_map(|it| [(it, false), (it, true)]) {
        let is_unidentified = *bug == Bug::AnyVersion;
        let server = Server { has_date: !is_unidentified, ..servers()[0] };
        let options = plain.with_allow_missing_validator(is_unidentified && has_bug);
        let bug = has_bug.then_some(*bug);
        let checked = Checked { bug, server, ranges: Vec::new(), options, faults: 1, changes: 1 };
        let rules = checked.properties().into_iter();
        let rules = rules.filter(|it| it.expectation == Expectation::Always).map(|it| it.name);
        assert_eq!(rules.collect::<Vec<_>>(), PLANTED.map(|(_, property)| property));
        let checker = checked.checker().threads(2).spawn_dfs().join();
        assert_eq!(checker.discovery(property).is_some(), has_bug, "{property}");
    }
}
