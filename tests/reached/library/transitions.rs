//! Counts the transitions of state machines. The functions that the build script has edited call these.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

use crate::state_machine::StateMachine;

thread_local! {
    /// The counts of each machine, in rows of states.
    static COUNTS: RefCell<HashMap<TypeId, Vec<u64>>> = RefCell::default();
}

/// Returns the next state, and counts the transition; `None` if the event is illegal.
pub(crate) fn next<S: StateMachine>(state: S, event: S::Event) -> Option<S> {
    state.next(event).inspect(|_| count(state, event))
}

/// Counts an event that is legal in this state, for the current thread.
pub(crate) fn count<S: StateMachine>(state: S, event: S::Event) {
    let row = S::STATES.iter().position(|it| *it == state).expect("one of the states");
    let column = S::EVENTS.iter().position(|it| *it == event).expect("one of the events");
    COUNTS.with_borrow_mut(|machines| {
        let counts = machines.entry(TypeId::of::<S>()).or_default();
        counts.resize(S::STATES.len() * S::EVENTS.len(), 0);
        counts[row * S::EVENTS.len() + column] += 1;
    });
}

/// Returns the counts of a machine in the current thread, in rows of states, and resets them. Empty if
/// the machine made no transition.
#[must_use]
pub fn take<S: StateMachine>() -> Vec<u64> {
    COUNTS.with_borrow_mut(|machines| machines.remove(&TypeId::of::<S>()).unwrap_or_default())
}
