//! Assigned numbers: link types, EtherType, protocols of IP and PPP, and UDP ports.

use std::ops::RangeInclusive;

use etherparse::IpNumber;

use super::layer::{Layer, Step};
use super::unread::{Protocol, Unread};

/// The protocol with a number: a layer that can be skipped, or the name of one that has no TCP.
enum Assigned {
    Layer(Layer),
    Name(&'static str),
}

use Assigned::{Layer as Is, Name};

/// Link types, see <https://www.tcpdump.org/linktypes.html>.
const LINKS: [(i32, Layer); 18] = [
    (0, Layer::Loopback),
    (1, Layer::Ethernet),
    (9, Layer::Ppp),
    // Numbers of raw IP that differ between systems.
    (12, Layer::Ip),
    (14, Layer::Ip),
    (50, Layer::Ppp),
    (51, Layer::Pppoe),
    (101, Layer::Ip),
    (104, Layer::CiscoHdlc),
    (105, Layer::Wlan { is_padded: false }),
    (108, Layer::Loopback),
    (113, Layer::Cooked),
    (127, Layer::Radiotap),
    (219, Layer::Mpls),
    (228, Layer::Ip),
    (229, Layer::Ip),
    (239, Layer::Nflog),
    (276, Layer::CookedV2),
];

/// Names of common link types that are not supported.
const OTHER_LINKS: [(i32, &str); 15] = [
    (6, "Token Ring"),
    (10, "FDDI"),
    (119, "802.11 with Prism header"),
    (163, "802.11 with AVS header"),
    (187, "Bluetooth HCI"),
    (189, "Linux USB"),
    (192, "PPI"),
    (195, "802.15.4"),
    (201, "Bluetooth HCI with direction"),
    (220, "Linux USB"),
    (227, "CAN"),
    (249, "Windows USB"),
    (252, "Wireshark upper PDU"),
    (253, "Linux netlink"),
    (290, "Windows event trace"),
];

const ETHER_TYPES: [(u16, Assigned); 19] = [
    (0x0800, Is(Layer::Ip)),
    (0x0806, Name("ARP")),
    (0x0842, Name("Wake-on-LAN")),
    (0x6558, Is(Layer::Ethernet)),
    (0x8035, Name("RARP")),
    (0x8100, Is(Layer::Vlan)),
    (0x86DD, Is(Layer::Ip)),
    (0x8808, Name("Ethernet flow control")),
    (0x8809, Name("LACP")),
    (0x880B, Is(Layer::Ppp)),
    (0x8847, Is(Layer::Mpls)),
    (0x8848, Is(Layer::Mpls)),
    (0x8863, Name("PPPoE discovery")),
    (0x8864, Is(Layer::Pppoe)),
    (0x888E, Name("EAPOL")),
    (0x88A8, Is(Layer::Vlan)),
    (0x88CC, Name("LLDP")),
    (0x88E5, Is(Layer::Macsec)),
    (0x9100, Is(Layer::Vlan)),
];

const PPP_PROTOCOLS: [(u16, Assigned); 7] = [
    (0x0021, Is(Layer::Ip)),
    (0x0057, Is(Layer::Ip)),
    (0x0281, Is(Layer::Mpls)),
    (0x0283, Is(Layer::Mpls)),
    (0x8021, Name("IPCP")),
    (0x8057, Name("IPv6CP")),
    (0xC021, Name("LCP")),
];

const IP_NUMBERS: [(IpNumber, Layer); 6] = [
    (IpNumber::IPV4, Layer::Ip),
    (IpNumber::IPV6, Layer::Ip),
    (IpNumber::UDP, Layer::Udp),
    (IpNumber::GRE, Layer::Gre),
    (IpNumber::ETHER_IP, Layer::EtherIp),
    (IpNumber::MPLS_IN_IP, Layer::Mpls),
];

/// Destination ports. 8472 is the VXLAN port of Linux before its assignment.
const UDP_PORTS: [(u16, Layer); 4] =
    [(4789, Layer::Vxlan), (6081, Layer::Geneve), (6635, Layer::Mpls), (8472, Layer::Vxlan)];

fn find<K: PartialEq, V>(table: &[(K, V)], key: K) -> Option<&V> {
    table.iter().find(|(it, _)| *it == key).map(|(_, value)| value)
}

fn next<'b>(assigned: Option<&Assigned>, unknown: Protocol, payload: &'b [u8]) -> Step<'b> {
    match assigned {
        Some(Is(layer)) => Step::Next(*layer, payload),
        Some(Name(name)) => Step::End(Unread::Protocol(Protocol::Named(name))),
        None => Step::End(Unread::Protocol(unknown)),
    }
}

pub fn layer_of_link(number: i32) -> Option<Layer> {
    find(&LINKS, number).copied()
}

/// Returns the name of a link type that is not supported.
pub fn link_name(number: i32) -> Option<String> {
    const USER: RangeInclusive<i32> = 147..=162;
    if USER.contains(&number) {
        return Some(format!("user{}", number - USER.start()));
    }
    find(&OTHER_LINKS, number).map(|name| (*name).to_owned())
}

pub fn ether_type(number: u16, payload: &[u8]) -> Step<'_> {
    next(find(&ETHER_TYPES, number), Protocol::EtherType(number), payload)
}

pub fn ppp_protocol(number: u16, payload: &[u8]) -> Step<'_> {
    next(find(&PPP_PROTOCOLS, number), Protocol::Ppp(number), payload)
}

pub fn ip_protocol(number: IpNumber, payload: &[u8]) -> Step<'_> {
    match find(&IP_NUMBERS, number) {
        Some(layer) => Step::Next(*layer, payload),
        None if number == IpNumber::ENCAPSULATING_SECURITY_PAYLOAD => {
            Step::End(Unread::Encrypted("ESP"))
        }
        None => Step::End(Unread::Protocol(Protocol::Ip(number))),
    }
}

pub fn layer_of_port(port: u16) -> Option<Layer> {
    find(&UDP_PORTS, port).copied()
}

/// Returns whether a header of this EtherType can be skipped and, if it is one of IP, whether its
/// version fits.
pub fn is_plausible_ether_type(number: u16, payload: &[u8]) -> bool {
    let version = payload.first().map(|first| first >> 4);
    match number {
        0x0800 => version == Some(4),
        0x86DD => version == Some(6),
        _ => find(&ETHER_TYPES, number).is_some(),
    }
}
