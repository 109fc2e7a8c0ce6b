//! Transition tables of the state machines, and the error of an illegal event.
//!
//! The transitions of a machine are one constant table in its `state.rs`, with a row for each state
//! and a column for each event. A machine looks up the next state before it changes anything. An
//! event without a next state is an [`IllegalEvent`] and leaves the machine unchanged.

use core::fmt::{self, Debug, Display};

/// A state of a machine, with its transition table.
#[doc(hidden)]
pub trait StateMachine: Copy + Debug + Display + PartialEq + 'static {
    /// Event of the machine.
    type Event: Copy + Debug + Display + PartialEq + 'static;

    /// All states, the initial state first.
    const STATES: &'static [Self];

    /// All events.
    const EVENTS: &'static [Self::Event];

    /// Returns the next state; `None` if the event is illegal.
    #[must_use]
    fn next(self, event: Self::Event) -> Option<Self>;

    /// Returns the events that are legal in this state.
    fn expected(self) -> impl Iterator<Item = Self::Event> {
        Self::EVENTS.iter().copied().filter(move |event| self.next(*event).is_some())
    }

    /// Returns the next state.
    ///
    /// # Errors
    ///
    /// [`IllegalEvent`] if the event is illegal.
    #[inline]
    fn transition(self, event: Self::Event) -> Result<Self, IllegalEvent<Self>> {
        self.next(event).ok_or(IllegalEvent { state: self, got: event })
    }
}

/// Error of an event that is illegal in the current state. The machine is unchanged.
///
/// # Example
///
/// ```
/// use bits_proto::server::{Event, State};
/// use bits_proto::state_machine::IllegalEvent;
///
/// let error = IllegalEvent { state: State::Storing, got: Event::Close };
/// assert!(error.to_string().starts_with("storing: got close, expected one of "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalEvent<S: StateMachine> {
    /// Current state.
    pub state: S,
    /// Received event.
    pub got: S::Event,
}

impl<S: StateMachine> IllegalEvent<S> {
    /// Returns the events that are legal in the current state.
    pub fn expected(&self) -> impl Iterator<Item = S::Event> {
        self.state.expected()
    }
}

impl<S: StateMachine> Display for IllegalEvent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: got {}, expected ", self.state, self.got)?;
        for (index, event) in self.expected().enumerate() {
            f.write_str(if index == 0 { "one of " } else { ", " })?;
            Display::fmt(&event, f)?;
        }
        if self.expected().next().is_none() { f.write_str("nothing") } else { Ok(()) }
    }
}

impl<S: StateMachine> core::error::Error for IllegalEvent<S> {}

/// Defines an enum without data whose values have a displayable name.
macro_rules! named {
    ($(#[$doc:meta])* pub enum $type:ident { $( $(#[$variant_doc:meta])* $variant:ident $name:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(rename_all = "kebab-case")
        )]
        #[non_exhaustive]
        pub enum $type {
            $( $(#[$variant_doc])* $variant, )+
        }

        impl $type {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// Returns the name for display.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )+
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

/// Checks at compile time that the rows of a table are in the order of the states.
macro_rules! rows_in_order {
    ($table:ident) => {
        const _: () = {
            let mut row = 0;
            while row < $table.len() {
                assert!($table[row].0 as usize == row, "table row out of order");
                row += 1;
            }
        };
    };
}
pub(crate) use rows_in_order;

/// Implements [`StateMachine`] with a table that has a row for each state and a column for each
/// event, in the order of the enums.
macro_rules! machine {
    ($state:ident, $event:ident, $table:ident) => {
        $crate::state_machine::rows_in_order!($table);

        impl $crate::state_machine::StateMachine for $state {
            type Event = $event;

            const STATES: &'static [Self] = $state::ALL;
            const EVENTS: &'static [$event] = $event::ALL;

            #[inline]
            fn next(self, event: $event) -> Option<Self> {
                let (_, row) = $table.get(self as usize)?;
                row.get(event as usize).copied().flatten()
            }
        }
    };
}
pub(crate) use machine;

#[cfg(feature = "serde")]
impl<M: StateMachine> serde::Serialize for IllegalEvent<M> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use crate::util::serialize::AsDisplay;
        use serde::ser::SerializeStruct as _;

        let mut record = serializer.serialize_struct("IllegalEvent", 3)?;
        record.serialize_field("state", &AsDisplay(self.state))?;
        record.serialize_field("got", &AsDisplay(self.got))?;
        record.serialize_field("message", &AsDisplay(self))?;
        record.end()
    }
}
