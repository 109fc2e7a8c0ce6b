//! Persistent forms of the state machines: a version, and validation of restored values.

use core::fmt;

/// Current and only version of the persistent forms.
pub(crate) const VERSION: u8 = 1;

/// Error of a persistent form that is not a valid state machine.
#[derive(Debug)]
pub(crate) struct RestoreError {
    /// Name of the state machine.
    machine: &'static str,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Version(u8),
    Contradiction(&'static str),
}

/// Checks the version of a persistent form, and that its fields violate no rule.
pub(crate) fn check(
    machine: &'static str,
    version: u8,
    contradiction: Option<&'static str>,
) -> Result<(), RestoreError> {
    let reason = match contradiction {
        _ if version != VERSION => Reason::Version(version),
        Some(rule) => Reason::Contradiction(rule),
        None => return Ok(()),
    };
    Err(RestoreError { machine, reason })
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.machine;
        match self.reason {
            Reason::Version(version) => {
                write!(f, "stored {machine} has version {version}, expected {VERSION}")
            }
            Reason::Contradiction(rule) => write!(f, "stored {machine} is invalid: {rule}"),
        }
    }
}

/// Defines `Stored`, the persistent form of a state machine: its version and the named fields.
///
/// Every field is required, also where it may be null, and unknown fields are rejected. Fields
/// after `=>` are computed from the others. The machine's `contradiction` method returns the
/// first rule that the fields violate. Fields are converted with `From`, so the machine may keep them
/// as other types.
macro_rules! stored_form {
    ($machine:ident as $name:literal {
        $( $field:ident: $type:ty, )+
        $( => $derived:ident: $from_fields:expr, )*
    }) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Stored {
            version: u8,
            $( #[serde(deserialize_with = "serde::Deserialize::deserialize")] $field: $type, )+
        }

        impl From<$machine> for Stored {
            fn from(machine: $machine) -> Self {
                let $machine { $( $field, )+ .. } = machine;
                Self { version: $crate::persist::VERSION, $( $field: $field.into(), )+ }
            }
        }

        impl TryFrom<Stored> for $machine {
            type Error = $crate::persist::RestoreError;

            fn try_from(stored: Stored) -> Result<Self, Self::Error> {
                let Stored { version, $( $field, )+ } = stored;
                let machine = Self { $( $derived: $from_fields, )* $( $field: $field.into(), )+ };
                $crate::persist::check($name, version, machine.contradiction())?;
                Ok(machine)
            }
        }
    };
}
pub(crate) use stored_form;
