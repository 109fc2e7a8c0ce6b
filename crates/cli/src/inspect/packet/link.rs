//! Headers of links: Ethernet, VLAN tags, and those that capture programs write.

use etherparse::{EtherType, LaxMacsecSlice, err};
use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::layer::{Layer, Step, u16_at};
use super::numbers;
use super::unread::{Protocol, Unread};

/// The greatest value of the field after the addresses that is a length. An LLC header follows.
const MAX_LENGTH: u16 = 1500;

pub fn ethernet(data: &[u8]) -> Option<Step<'_>> {
    let header = Ethernet2HeaderSlice::from_slice(data).ok()?;
    let payload = data.get(header.slice().len()..)?;
    Some(payload_of_frame(header.ether_type(), payload))
}

pub fn vlan(data: &[u8]) -> Option<Step<'_>> {
    let header = SingleVlanHeaderSlice::from_slice(data).ok()?;
    let payload = data.get(header.slice().len()..)?;
    Some(payload_of_frame(header.ether_type(), payload))
}

fn payload_of_frame(EtherType(number): EtherType, payload: &[u8]) -> Step<'_> {
    match number {
        0..=MAX_LENGTH => Step::Next(Layer::Llc, payload),
        _ => numbers::ether_type(number, payload),
    }
}

pub fn macsec(data: &[u8]) -> Option<Step<'_>> {
    let macsec = match LaxMacsecSlice::from_slice(data) {
        Ok(macsec) => macsec,
        Err(err::macsec::HeaderSliceError::Len(_)) => return None,
        Err(err::macsec::HeaderSliceError::Content(_)) => {
            return Some(Step::End(Unread::Invalid(Layer::Macsec)));
        }
    };
    Some(match macsec.ether_payload() {
        Some(payload) => payload_of_frame(payload.ether_type, payload.payload),
        None => Step::End(Unread::Encrypted("MACsec")),
    })
}

/// Parses the header of 802.2, which has an EtherType in its extension SNAP.
pub fn llc(data: &[u8]) -> Option<Step<'_>> {
    let name = |name| Some(Step::End(Unread::Protocol(Protocol::Named(name))));
    match data.first_chunk()? {
        [0xAA, 0xAA, 0x03] => match data.get(3..6)? {
            // Encapsulated Ethernet according to RFC 1042 and to 802.1H.
            [0, 0, 0] | [0, 0, 0xF8] => Some(numbers::ether_type(u16_at(data, 6)?, data.get(8..)?)),
            _ => name("SNAP"),
        },
        [0x42, 0x42, _] => name("STP"),
        _ => name("LLC"),
    }
}

/// Parses a header of Linux "cooked" captures. Numbers that are not an EtherType are special.
fn cooked_protocol(number: u16, payload: &[u8]) -> Step<'_> {
    const LLC: u16 = 4;
    match number {
        LLC => Step::Next(Layer::Llc, payload),
        _ => numbers::ether_type(number, payload),
    }
}

pub fn cooked(data: &[u8]) -> Option<Step<'_>> {
    Some(cooked_protocol(u16_at(data, 14)?, data.get(16..)?))
}

pub fn cooked_v2(data: &[u8]) -> Option<Step<'_>> {
    Some(cooked_protocol(u16_at(data, 0)?, data.get(20..)?))
}

/// Skips the address family. Its number differs between systems; the version in the IP header has the
/// same information.
pub fn loopback(data: &[u8]) -> Option<Step<'_>> {
    Some(Step::Next(Layer::Ip, data.get(4..)?))
}

/// Finds the packet among the attributes of a message of the Linux packet filter. Their byte order is
/// that of the machine that captured.
pub fn nflog(data: &[u8]) -> Option<Step<'_>> {
    // Address family, version, and resource id.
    let attributes = data.get(4..)?;
    let payload = nflog_payload(attributes, u16::from_le_bytes)
        .or_else(|| nflog_payload(attributes, u16::from_be_bytes))?;
    Some(Step::Next(Layer::Ip, payload))
}

fn nflog_payload(mut attributes: &[u8], order: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    const HEADER: usize = 4;
    loop {
        let &[l0, l1, t0, t1] = attributes.first_chunk()?;
        let length = usize::from(order([l0, l1]));
        if order([t0, t1]) == PAYLOAD {
            return attributes.get(HEADER..length.min(attributes.len()));
        }
        // A shorter one is invalid, and would cause an endless loop.
        if length < HEADER {
            return None;
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}
