//! PPP, its sessions on Ethernet, and the framing of Cisco on the same lines.

use super::layer::{Layer, Step, u16_at};
use super::numbers;
use super::unread::{Protocol, Unread};

/// Skips the header of a PPPoE session (RFC 2516).
pub fn pppoe(data: &[u8]) -> Option<Step<'_>> {
    const VERSION_AND_TYPE: u8 = 0x11;
    const SESSION: u8 = 0;
    let payload = data.get(6..)?;
    Some(match data.first_chunk()? {
        [VERSION_AND_TYPE, SESSION] => Step::Next(Layer::Ppp, payload),
        [VERSION_AND_TYPE, _] => Step::End(Unread::Protocol(Protocol::Named("PPPoE discovery"))),
        _ => Step::End(Unread::Invalid(Layer::Pppoe)),
    })
}

/// Skips the header of PPP (RFC 1661), with or without address and control of HDLC (RFC 1662). A
/// protocol number that starts with an odd byte has one byte only.
pub fn ppp(data: &[u8]) -> Option<Step<'_>> {
    let data = match data {
        [0xFF, 0x03, rest @ ..] => rest,
        [0x0F | 0x8F, 0x00, ..] => return Some(Step::Next(Layer::CiscoHdlc, data)),
        [0xFF | 0x0F | 0x8F] => return None,
        _ => data,
    };
    let first = *data.first()?;
    Some(if first % 2 == 1 {
        numbers::ppp_protocol(first.into(), data.get(1..)?)
    } else {
        numbers::ppp_protocol(u16_at(data, 0)?, data.get(2..)?)
    })
}

pub fn cisco_hdlc(data: &[u8]) -> Option<Step<'_>> {
    Some(numbers::ether_type(u16_at(data, 2)?, data.get(4..)?))
}
