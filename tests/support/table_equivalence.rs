//! Compares a table that holds one session with that session: both react in the same way.
#![cfg(all(feature = "alloc", feature = "serde"))]

use std::collections::BTreeMap;
use std::convert::Infallible;

use bits_proto::message::{Ack, Request};
use bits_proto::server::{
    Access, Discard, EventError, Policy, PolicyBuf, Record, RequestContext, Session, SessionLimits,
    Sessions, SessionsError, SessionsResponse, State, Step, WorkToken,
};
use uuid::Uuid;

use super::session::Server;

const URL: &str = "/entity";

type Table<'p> = Sessions<'p, BTreeMap<Uuid, Record>>;
type TableStep<'p> = Step<SessionsResponse<'p>>;

/// A session before an event.
pub struct TableCheck {
    before: Server,
}

/// Checks that a policy survives serialization.
pub fn check_policy(policy: &Policy<'_>) {
    let written = serde_json::to_string(&PolicyBuf::from(*policy)).expect("written");
    let read: PolicyBuf = serde_json::from_str(&written).expect("read");
    assert_eq!(read.as_policy(), *policy);
}

impl TableCheck {
    pub fn of(server: &Server) -> Self {
        Self { before: *server }
    }

    fn table(&self) -> Table<'static> {
        let session = self.before.session;
        let record = Record::new(session, URL);
        let store = BTreeMap::from([(session.id(), record)]);
        Sessions::new(store, self.before.policy, SessionLimits::default())
    }

    /// Compares the handling of a request that is not a Create-Session.
    pub fn check_request(
        &self,
        request: &Request<'_>,
        access: Access,
        step: Step,
        after: &Session,
    ) {
        let mut table = self.table();
        if matches!(request, Request::CreateSession(_)) {
            return self.check_create(table, request, access);
        }
        let context = RequestContext::new(URL, access, self.before.now);
        let random = || panic!("random bytes are for Create-Session");
        let Ok(of_table) = table.handle_request(request, &context, random);
        assert_same_step(&of_table, &step);
        assert_same_session(table, after);
    }

    /// Checks that a full table rejects a new session, and another table accepts it.
    fn check_create(&self, table: Table<'_>, request: &Request<'_>, access: Access) {
        let store = table.into_store();
        let context =
            RequestContext::new(URL, access, self.before.now).with_principal(Some("alice"));
        for sessions in [1, 2] {
            let limits = SessionLimits::default().with_max_sessions(sessions);
            let mut table = Sessions::new(store.clone(), self.before.policy, limits);
            let Ok(step) = table.handle_request(request, &context, || [9; 16]);
            let Step::Answer(answer) = step else { panic!("{step:?}") };
            let is_created = matches!(answer.ack(), Ack::CreateSession(_));
            assert_eq!(is_created, sessions > store.len() && access == Access::Granted);
            assert_eq!(table.store().len(), store.len() + usize::from(is_created));
        }
    }

    /// Compares the handling of a report.
    pub fn check_report(
        &self,
        report: impl for<'p> FnOnce(&mut Table<'p>) -> Result<TableStep<'p>, SessionsError<Infallible>>,
        outcome: Result<Step, EventError>,
        after: &Session,
    ) {
        let mut table = self.table();
        match (report(&mut table), outcome) {
            (Ok(of_table), Ok(step)) => assert_same_step(&of_table, &step),
            (Err(SessionsError::Event(of_table)), Err(error)) => {
                assert_eq!(of_table, error);
                assert_eq!(
                    SessionsError::<Infallible>::Event(of_table).to_string(),
                    error.to_string()
                );
            }
            (of_table, outcome) => panic!("{of_table:?} is not {outcome:?}"),
        }
        assert_same_session(table, after);
    }

    /// Compares the effect of time, or of an early end of the session.
    pub fn check_time(&self, is_forced: bool, step: Option<Step>, after: &Session) {
        let mut table = self.table();
        let (id, now) = (self.before.session.id(), self.before.now);
        let discards = if is_forced {
            let Ok(discard) = table.expire(id, now);
            discard.into_iter().collect::<Vec<Discard>>()
        } else {
            let Ok(discards) = table.handle_timeout(now);
            discards
        };
        let expected = step.and_then(|step| match step {
            Step::Discard(discard) => Some(discard),
            _ => None,
        });
        assert_eq!(discards, expected.into_iter().collect::<Vec<_>>());
        assert_same_session(table, after);
    }

    /// Checks that a renewal only extends the time limit of the work.
    pub fn check_renew(&self, token: WorkToken) {
        let Server { mut session, policy, now } = self.before;
        let outcome = session.renew(token, &policy, now).map(|()| Step::Done);
        match outcome {
            Ok(_) => assert_eq!(session.state(), self.before.session.state()),
            Err(_) => assert_eq!(session, self.before.session),
        }
        self.check_report(|table| table.renew(token, now).map(|()| Step::Done), outcome, &session);
    }
}

fn assert_same_step(of_table: &TableStep<'_>, step: &Step) {
    match (of_table, step) {
        (Step::Answer(of_table), Step::Answer(answer)) => {
            assert_eq!(
                (of_table.ack(), of_table.unread_body),
                (answer.ack(None), answer.unread_body)
            );
            assert_eq!(answer.status(), answer.ack(None).status());
        }
        (Step::Store(of_table), Step::Store(store)) => assert_eq!(of_table, store),
        (Step::Notify(of_table), Step::Notify(token))
        | (Step::KeepReply(of_table), Step::KeepReply(token))
        | (Step::Commit(of_table), Step::Commit(token)) => assert_eq!(of_table, token),
        (Step::Discard(of_table), Step::Discard(discard)) => assert_eq!(of_table, discard),
        (Step::Done, Step::Done) => {}
        (of_table, step) => panic!("{of_table:?} is not {step:?}"),
    }
}

/// Checks that the table removes ended sessions and holds no others.
fn assert_same_session(table: Table<'_>, after: &Session) {
    let mut records = table.into_store();
    match records.remove(&after.id()) {
        Some(record) => assert_eq!(record.session, *after),
        None => assert_eq!(after.state(), State::Ended),
    }
    assert!(records.is_empty(), "{records:?}");
}
