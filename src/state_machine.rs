//! Which event may follow which: what the tables of all state machines have in common.
//!
//! A machine's transitions are one constant table in its `state.rs`, every state and every event
//! spelled out. The machine asks the table before it changes anything, so an event that the table
//! does not have is an [`IllegalEvent`] and leaves everything as it was.

use core::fmt::{self, Debug, Display};

/// A state of a machine, with the table of what may happen in it.
///
/// # Example
///
/// ```
/// use bits_proto::state_machine::StateMachine;
/// use bits_proto::server::{Event, State};
///
/// assert_eq!(State::Receiving.next(Event::Fragment), Some(State::Storing));
/// assert_eq!(State::Ended.next(Event::Fragment), None);
/// ```
pub trait StateMachine: Copy + Debug + Display + PartialEq + 'static {
    /// What can happen.
    type Event: Copy + Debug + Display + PartialEq + 'static;

    /// Every state, the first one first.
    const STATES: &'static [Self];

    /// Every event.
    const EVENTS: &'static [Self::Event];

    /// The state that follows; `None` where the event is illegal.
    #[must_use]
    fn next(self, event: Self::Event) -> Option<Self>;

    /// The events that are legal in this state.
    fn expected(self) -> impl Iterator<Item = Self::Event> {
        Self::EVENTS.iter().copied().filter(move |event| self.next(*event).is_some())
    }

    /// The state that follows.
    ///
    /// # Errors
    ///
    /// [`IllegalEvent`] where the table has none.
    #[inline]
    fn transition(self, event: Self::Event) -> Result<Self, IllegalEvent<Self>> {
        self.next(event).ok_or(IllegalEvent { state: self, got: event })
    }
}

/// Something happened that cannot happen in this state. Nothing was changed.
///
/// # Example
///
/// ```
/// use bits_proto::state_machine::IllegalEvent;
/// use bits_proto::server::{Event, State};
///
/// let error = IllegalEvent { state: State::Storing, got: Event::Close };
/// assert!(error.to_string().starts_with("storing: got close, expected one of "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalEvent<S: StateMachine> {
    /// The state the machine is in.
    pub state: S,
    /// What came.
    pub got: S::Event,
}

impl<S: StateMachine> IllegalEvent<S> {
    /// What could have come.
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

/// Defines a plain enum whose values have names for people.
macro_rules! named {
    ($(#[$doc:meta])* pub enum $type:ident { $( $(#[$variant_doc:meta])* $variant:ident $name:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(rename_all = "kebab-case")
        )]
        pub enum $type {
            $( $(#[$variant_doc])* $variant, )+
        }

        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// A name for people.
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

/// The rows of a table stand in the order in which the states are declared, or it does not compile.
macro_rules! rows_in_order {
    ($table:ident) => {
        const _: () = {
            let mut row = 0;
            while row < $table.len() {
                assert!($table[row].0 as usize == row, "a row is out of order");
                row += 1;
            }
        };
    };
}
pub(crate) use rows_in_order;

/// Makes the table of a machine: a row for each state, a column for each event, in the order of
/// the enums.
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
