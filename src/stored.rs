//! What the stored forms of all machines have in common: a version, and that what is read back is
//! checked.

use core::fmt;

/// The version that is written, and the only one there is.
pub(crate) const VERSION: u8 = 1;

/// Why what was stored is no machine.
#[derive(Debug)]
pub(crate) struct Damaged {
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
) -> Result<(), Damaged> {
    let why = match contradiction {
        _ if version != VERSION => Why::Version(version),
        Some(what) => Why::Contradiction(what),
        None => return Ok(()),
    };
    Err(Damaged { machine, why })
}

impl fmt::Display for Damaged {
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
