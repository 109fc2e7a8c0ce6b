//! Frames of wireless networks.

use super::layer::{Layer, Step};
use super::unread::{Protocol, Unread};

/// Skips a radiotap header. Of its fields, only the flags of the frame matter.
pub fn radiotap(data: &[u8]) -> Option<Step<'_>> {
    const PADDED: u8 = 0x20;
    const BAD_CHECKSUM: u8 = 0x40;
    let &[version, _, l0, l1] = data.first_chunk()?;
    if version != 0 {
        return Some(Step::End(Unread::Invalid(Layer::Radiotap)));
    }
    let (header, frame) = data.split_at_checked(u16::from_le_bytes([l0, l1]).into())?;
    let flags = radiotap_flags(header).unwrap_or(0);
    if flags & BAD_CHECKSUM != 0 {
        return Some(Step::End(Unread::Feature("a wrong 802.11 checksum")));
    }
    Some(Step::Next(Layer::Wlan { is_padded: flags & PADDED != 0 }, frame))
}

/// Returns the field with the flags. Before it there may be a time, which is aligned.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const TIME: u32 = 1 << 0;
    const FLAGS: u32 = 1 << 1;
    const MORE: u32 = 1 << 31;
    let present = |at: usize| header.get(at..)?.first_chunk().map(|it| u32::from_le_bytes(*it));
    let first = present(4)?;
    let mut at = 4;
    while present(at)? & MORE != 0 {
        at += 4;
    }
    at += 4;
    if first & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if first & FLAGS != 0 { header.get(at).copied() } else { None }
}

/// Skips the header of an 802.11 data frame.
pub fn wlan(data: &[u8], is_padded: bool) -> Option<Step<'_>> {
    const DATA: u8 = 2;
    const TO_AND_FROM_DISTRIBUTION: u8 = 0x03;
    const MORE_FRAGMENTS: u8 = 0x04;
    const PROTECTED: u8 = 0x40;
    const HAS_HT_CONTROL: u8 = 0x80;
    const AGGREGATE: u8 = 0x80;
    let named = |name| Some(Step::End(Unread::Protocol(Protocol::Named(name))));
    let &[control, flags] = data.first_chunk()?;
    let (version, kind, subtype) = (control & 3, control >> 2 & 3, control >> 4);
    match kind {
        _ if version != 0 => return Some(Step::End(Unread::Invalid(Layer::Wlan { is_padded }))),
        DATA => {}
        0 => return named("802.11 management"),
        1 => return named("802.11 control"),
        _ => return named("802.11 extension"),
    }
    let (is_qos, is_without_data) = (subtype & 8 != 0, subtype & 4 != 0);
    if is_without_data {
        return named("802.11 without data");
    }
    if flags & PROTECTED != 0 {
        return Some(Step::End(Unread::Encrypted("802.11")));
    }
    let fragment = data.get(22)? & 0x0F;
    if fragment != 0 || flags & MORE_FRAGMENTS != 0 {
        return Some(Step::End(Unread::Feature("an 802.11 fragment, which is not reassembled")));
    }
    let has_fourth_address = flags & TO_AND_FROM_DISTRIBUTION == TO_AND_FROM_DISTRIBUTION;
    let mut length = if has_fourth_address { 30 } else { 24 };
    if is_qos {
        if data.get(length)? & AGGREGATE != 0 {
            return Some(Step::End(Unread::Feature(
                "aggregated 802.11 data, which is not supported",
            )));
        }
        length += if flags & HAS_HT_CONTROL != 0 { 6 } else { 2 };
    }
    if is_padded {
        length = length.next_multiple_of(4);
    }
    Some(Step::Next(Layer::Llc, data.get(length..)?))
}
