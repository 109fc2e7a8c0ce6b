//! Compares each cell of the observer's transition table with an independent copy.

use crate::support;
use bits_proto::observer::{Event, State, TABLE};
use bits_proto::state_machine::StateMachine as _;
use support::upload::{named, rows};

/// The next state, or the violated rule after `!`.
const EXPECTED: &str = "
    state      ping       create     fragment               close                   cancel                 pinged     created received                 closed                   cancelled                refused   not-found
    unknown    unknown    unknown    open                   closing                 cancelling             unknown    open    open                     closed                   cancelled                unknown   lost
    no-session no-session no-session !request-before-create !request-before-create  !request-before-create no-session open    !granted-without-session !granted-without-session !granted-without-session no-session no-session
    open       open       open       open                   closing                 cancelling             open       open    open                     closed                   cancelled                open      lost
    closing    closing    closing    !fragment-after-close  closing                 cancelling             closing    open    open                     closed                   cancelled                open      lost
    cancelling cancelling cancelling !request-after-cancel  !request-after-cancel   cancelling             cancelling open    open                     closed                   cancelled                open      lost
    closed     closed     closed     !request-after-end     !request-after-end      !request-after-end     closed     open    !granted-after-end       !granted-after-end       !granted-after-end       closed    closed
    cancelled  cancelled  cancelled  !request-after-end     !request-after-end      !request-after-end     cancelled  open    !granted-after-end       !granted-after-end       !granted-after-end       cancelled cancelled
    lost       lost       lost       !request-after-end     !request-after-end      !request-after-end     lost       open    !granted-after-end       !granted-after-end       !granted-after-end       lost      lost
";

#[test]
fn every_event_has_the_expected_next_state_or_rule() {
    let mut rows = rows(EXPECTED);
    let header = rows.next().expect("a header");
    let events: Vec<Event> = header[1..].iter().map(|name| named(Event::ALL, name)).collect();
    assert_eq!(events, Event::ALL);
    let mut cells = 0;
    for row in rows {
        let state = named(State::ALL, row[0]);
        let (of, found) = TABLE[state as usize];
        assert_eq!(of, state);
        for ((event, expected), found) in events.iter().zip(&row[1..]).zip(found) {
            let cell = match found {
                Ok(next) => next.name().to_string(),
                Err(rule) => format!("!{}", rule.name()),
            };
            assert_eq!(cell, *expected, "{state} and {event}");
            assert_eq!(state.next(*event), found.ok());
            cells += 1;
        }
    }
    assert_eq!(cells, State::ALL.len() * Event::ALL.len());
}
