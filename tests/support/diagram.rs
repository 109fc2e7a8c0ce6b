//! Renders transition tables as diagrams.

use std::fmt::Write as _;

use bits_proto::state_machine::StateMachine;

/// Returns a Mermaid diagram: one line for each pair of states, with the events that lead from one to the
/// other.
pub fn diagram<S: StateMachine>() -> String {
    let mut text = String::from("```mermaid\nstateDiagram-v2\n");
    for first in S::STATES.iter().take(1) {
        line(&mut text, "[*]", &id(*first), &[]);
    }
    for from in S::STATES {
        for to in S::STATES {
            let events: Vec<_> =
                S::EVENTS.iter().filter(|it| from.next(**it) == Some(*to)).collect();
            let events: Vec<_> = events.into_iter().map(ToString::to_string).collect();
            if !events.is_empty() {
                line(&mut text, &id(*from), &id(*to), &events);
            }
        }
        if is_last(*from) {
            line(&mut text, &id(*from), "[*]", &[]);
        }
    }
    text + "```\n"
}

/// Returns true if no event leads to another state.
fn is_last<S: StateMachine>(state: S) -> bool {
    S::EVENTS.iter().filter_map(|event| state.next(*event)).all(|next| next == state)
}

/// Returns a state's name in a form that Mermaid accepts.
fn id<S: StateMachine>(state: S) -> String {
    state.to_string().replace('-', "_")
}

fn line(text: &mut String, from: &str, to: &str, events: &[String]) {
    let label = if events.is_empty() { String::new() } else { format!(": {}", events.join(", ")) };
    writeln!(text, "    {from} --> {to}{label}").expect("writing to a String succeeds");
}
