//! Headers of tunnels: MPLS, GRE, ERSPAN, and those in UDP.

use etherparse::{LaxIpSlice, UdpSlice, err};

use super::layer::{Layer, Step, u16_at};
use super::numbers;
use super::unread::{Protocol, Unread};

/// Skips a stack of MPLS labels.
///
/// The labels do not identify the payload. A first half-byte 4 or 6 is the version of IP (RFC 4928). Before
/// an Ethernet frame of a pseudowire there may be a control word, which starts with the half-byte 0 (RFC
/// 4448). Without one, the address of the frame may start with it too, so the EtherType decides.
pub fn mpls(data: &[u8]) -> Option<Step<'_>> {
    let mut payload = data;
    loop {
        let (entry, rest) = payload.split_first_chunk::<4>()?;
        payload = rest;
        let is_bottom_of_stack = entry[2] & 1 == 1;
        if is_bottom_of_stack {
            break;
        }
    }
    let named = |name| Step::End(Unread::Protocol(Protocol::Named(name)));
    let behind_control_word = payload.get(4..).unwrap_or_default();
    Some(match payload.first()? >> 4 {
        4 | 6 if may_be_ip(payload) => Step::Next(Layer::Ip, payload),
        0 if is_ethernet(behind_control_word) => Step::Next(Layer::Ethernet, behind_control_word),
        _ if is_ethernet(payload) => Step::Next(Layer::Ethernet, payload),
        1 => named("MPLS associated channel"),
        _ => named("MPLS with unknown payload"),
    })
}

/// Returns whether the bytes are the beginning of an IP packet, based on its header.
fn may_be_ip(data: &[u8]) -> bool {
    !matches!(LaxIpSlice::from_slice(data), Err(err::ip::LaxHeaderSliceError::Content(_)))
}

/// Returns whether the bytes are plausible as an Ethernet frame.
fn is_ethernet(data: &[u8]) -> bool {
    let frame = u16_at(data, 12).zip(data.get(14..));
    frame.is_some_and(|(number, payload)| numbers::is_plausible_ether_type(number, payload))
}

/// Skips the header of GRE (RFC 2784, RFC 2890) and of its enhanced version in PPTP (RFC 2637).
pub fn gre(data: &[u8]) -> Option<Step<'_>> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    let flags = u16_at(data, 0)?;
    let fields = match flags & 0x7 {
        0 if flags & ROUTING != 0 => {
            return Some(Step::End(Unread::Feature("GRE source routing, which is not supported")));
        }
        0 => CHECKSUM | KEY | SEQUENCE,
        1 => KEY | SEQUENCE | ACKNOWLEDGEMENT,
        _ => return Some(Step::End(Unread::Invalid(Layer::Gre))),
    };
    let words = (flags & fields).count_ones() as usize;
    let payload = data.get(4 + 4 * words..)?;
    let protocol = u16_at(data, 2)?;
    Some(match protocol {
        ERSPAN_V2 if flags & SEQUENCE != 0 => Step::Next(Layer::ErspanV2, payload),
        // Version 1 has no header.
        ERSPAN_V2 => Step::Next(Layer::Ethernet, payload),
        ERSPAN_V3 => Step::Next(Layer::ErspanV3, payload),
        _ => numbers::ether_type(protocol, payload),
    })
}

/// Protocol numbers of ERSPAN (draft-foschiano-erspan). Types I and II share one: only the latter has
/// sequence numbers.
const ERSPAN_V2: u16 = 0x88BE;
const ERSPAN_V3: u16 = 0x22EB;

pub fn erspan_v2(data: &[u8]) -> Option<Step<'_>> {
    Some(Step::Next(Layer::Ethernet, data.get(8..)?))
}

/// Skips the header of ERSPAN type III, which may end with a platform-specific part.
pub fn erspan_v3(data: &[u8]) -> Option<Step<'_>> {
    let word = u16_at(data, 10)?;
    let has_subheader = word & 1 == 1;
    let payload = data.get(if has_subheader { 20 } else { 12 }..)?;
    Some(match word >> 10 & 0x1F {
        0 => Step::Next(Layer::Ethernet, payload),
        2 => Step::Next(Layer::Ip, payload),
        _ => Step::End(Unread::Feature("an ERSPAN frame type that is not supported")),
    })
}

/// Skips the header of Ethernet in IP (RFC 3378).
pub fn ether_ip(data: &[u8]) -> Option<Step<'_>> {
    Some(Step::Next(Layer::Ethernet, data.get(2..)?))
}

/// Skips the header of UDP. Its destination port identifies the tunnel.
pub fn udp(data: &[u8]) -> Option<Step<'_>> {
    let udp = UdpSlice::from_slice_lax(data).ok()?;
    let payload = data.get(udp.header_slice().len()..)?;
    Some(match numbers::layer_of_port(udp.destination_port()) {
        Some(layer) => Step::Next(layer, payload),
        None => not_a_tunnel(),
    })
}

fn not_a_tunnel<'b>() -> Step<'b> {
    Step::End(Unread::Protocol(Protocol::Named("UDP")))
}

/// Skips the header of VXLAN (RFC 7348).
pub fn vxlan(data: &[u8]) -> Option<Step<'_>> {
    const HAS_NETWORK_ID: u8 = 0x08;
    let payload = data.get(8..)?;
    Some(match data.first()? & HAS_NETWORK_ID {
        0 => not_a_tunnel(),
        _ => Step::Next(Layer::Ethernet, payload),
    })
}

/// Skips the header of GENEVE (RFC 8926) with its options.
pub fn geneve(data: &[u8]) -> Option<Step<'_>> {
    let first = *data.first()?;
    let (version, words) = (first >> 6, usize::from(first & 0x3F));
    let payload = data.get(8 + 4 * words..)?;
    Some(match version {
        0 => numbers::ether_type(u16_at(data, 2)?, payload),
        _ => not_a_tunnel(),
    })
}
