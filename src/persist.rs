//! What the stored forms of all machines have in common: a version, and that what is read back is
//! checked.

use core::fmt;

/// The version that is written, and the only one there is.
pub(crate) const VERSION: u8 = 1;

/// Why what was stored is no machine.
#[derive(Debug)]
pub(crate) struct RestoreError {
    /// Which machine, with its article.
    machine: &'static str,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Version(u8),
    Contradiction(&'static str),
}

/// The rules about a machine that was read back, each with what it means that it does not hold.
pub(crate) fn check(
    machine: &'static str,
    version: u8,
    contradiction: Option<&'static str>,
) -> Result<(), RestoreError> {
    let why = match contradiction {
        _ if version != VERSION => Why::Version(version),
        Some(what) => Why::Contradiction(what),
        None => return Ok(()),
    };
    Err(RestoreError { machine, why })
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Why::Version(version) => write!(f, "{} stored in version {version}", self.machine),
            Why::Contradiction(what) => {
                let (_, machine) = self.machine.split_once(' ').unwrap_or_default();
                write!(f, "a damaged {machine}: {what}")
            }
        }
    }
}

/// Defines `Stored`, the stored form of a machine: its version and the fields that are named. A
/// field that is missing is damage, also where it may be null, and any other set of fields is
/// another version. What follows from the fields is made of them, and what they contradict is
/// refused as the machine's `contradiction` says.
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
                Self { version: $crate::persist::VERSION, $( $field, )+ }
            }
        }

        impl TryFrom<Stored> for $machine {
            type Error = $crate::persist::RestoreError;

            fn try_from(stored: Stored) -> Result<Self, Self::Error> {
                let Stored { version, $( $field, )+ } = stored;
                let machine = Self { $( $derived: $from_fields, )* $( $field, )+ };
                $crate::persist::check($name, version, machine.contradiction())?;
                Ok(machine)
            }
        }
    };
}
pub(crate) use stored_form;
