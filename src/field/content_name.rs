//! Content-Name.

use super::{Decode, FieldName, check_content, opaque_value};
use crate::deviation::{Deviation, Deviations};
use crate::error::{ErrorKind, ValueError};

/// [2.2.1.1] Content-Name: the name of the entity at the client, without its path.
///
/// The name is informative; servers must not use it as a path. It may contain any bytes that a
/// header field allows, in the character encoding of the client's system. A name of more than
/// [`MAX_LEN`](Self::MAX_LEN) bytes is the deviation
/// [`LongContentName`](Deviation::LongContentName), one of more than 4096 bytes is an error.
///
/// ```text
/// content-name = *( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidByte`], [`ErrorKind::TooLong`].
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentName;
///
/// assert!(ContentName::try_from("report.bin")?.is_safe());
/// assert!(!ContentName::try_from("..\\..\\evil.dll")?.is_safe());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.1 and its note 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentName<'b>(&'b [u8]);

/// Names that Windows interprets as devices, with any extension.
const DEVICES: [&[u8]; 6] = [b"CON", b"PRN", b"AUX", b"NUL", b"CONIN$", b"CONOUT$"];

impl<'b> ContentName<'b> {
    /// The maximum length of the specification, in bytes.
    pub const MAX_LEN: usize = 260;

    /// The maximum length that is accepted, in bytes: that of any value.
    const LIMIT: usize = 4096;

    /// Returns true if the name can be used as a file name on common systems.
    ///
    /// Such a name is not empty, contains no control character and none of `\ / : * ? " < > |`,
    /// does not end in a dot or space (like `.` and `..`), and is not a device name of Windows.
    /// Length and character encoding are not checked. The name is still chosen by the client: it
    /// may conflict with other names.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        let reserved = |byte: &u8| byte.is_ascii_control() || br#"\/:*?"<>|"#.contains(byte);
        let name = self.0;
        !matches!(name.last(), None | Some(b'.' | b' '))
            && !name.iter().any(reserved)
            && !is_device(name)
    }
}

/// Returns true for device names such as `CON`, `nul.txt`, `COM1` and `lpt9 .log`.
fn is_device(name: &[u8]) -> bool {
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default().trim_ascii_end();
    let numbered = |prefix: &[u8], rest: &[u8]| {
        // Windows accepts the superscripts one, two and three, in Latin-1 and in UTF-8.
        let port =
            matches!(rest, [b'0'..=b'9'] | [0xB9 | 0xB2 | 0xB3] | [0xC2, 0xB9 | 0xB2 | 0xB3]);
        port && (prefix.eq_ignore_ascii_case(b"COM") || prefix.eq_ignore_ascii_case(b"LPT"))
    };
    DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device))
        || stem.split_at_checked(3).is_some_and(|(prefix, rest)| numbered(prefix, rest))
}

impl<'b> Decode<'b> for ContentName<'b> {
    const NAME: FieldName = FieldName::ContentName;

    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        if value.len() <= Self::LIMIT {
            check_content(value)?;
        }
        Self::decode_content(value, deviations)
    }

    #[inline(always)]
    fn decode_content(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        if value.len() > Self::LIMIT {
            return Err(ValueError::new(ErrorKind::TooLong, Self::LIMIT));
        }
        if value.len() > Self::MAX_LEN {
            deviations.insert(Deviation::LongContentName);
        }
        Ok(Self(value))
    }
}

opaque_value!(ContentName "Returns the bytes of the name.");
