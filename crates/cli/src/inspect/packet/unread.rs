//! Reasons why a packet has no TCP segment that can be read.

use std::fmt;

use etherparse::IpNumber;

use super::layer::Layer;
use super::link_name;
use crate::inspect::counted::counted;

/// Reason why a packet has no TCP segment that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    /// The innermost protocol is not TCP.
    Protocol(Protocol),
    /// Fragment of an IP packet.
    Fragment,
    /// The header of this layer was not completely captured.
    Truncated(Layer),
    /// The header of this layer is invalid.
    Invalid(Layer),
    /// Encrypted with this protocol.
    Encrypted(&'static str),
    /// The packet has this feature, which is not supported.
    Feature(&'static str),
    /// The link type with this number is not supported.
    Link(i32),
}

impl Unread {
    /// Describes a number of packets with this reason.
    pub fn describe(&self, count: u64) -> String {
        let packets = counted(count, "packet");
        match self {
            Self::Protocol(protocol) => format!("{count} {protocol}"),
            Self::Fragment if count == 1 => "1 IP fragment, which is not reassembled".to_owned(),
            Self::Fragment => format!("{count} IP fragments, which are not reassembled"),
            Self::Truncated(layer) => {
                format!("{packets} whose {layer} header was not completely captured")
            }
            Self::Invalid(layer) => format!("{packets} with an invalid {layer} header"),
            Self::Encrypted(protocol) => format!("{packets} encrypted with {protocol}"),
            Self::Feature(feature) => format!("{packets} with {feature}"),
            Self::Link(number) => {
                let name = link_name(*number).map(|name| format!(" ({name})")).unwrap_or_default();
                format!("{packets} of link type {number}{name}, which is not supported")
            }
        }
    }
}

/// A protocol that is not TCP and carries none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Named(&'static str),
    EtherType(u16),
    Ip(IpNumber),
    Ppp(u16),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::EtherType(number) => write!(f, "EtherType {number:#06x}"),
            Self::Ip(IpNumber::IPV6_ICMP) => f.write_str("ICMPv6"),
            Self::Ip(number) => match number.keyword_str() {
                Some(keyword) => f.write_str(keyword),
                None => write!(f, "IP protocol {}", number.0),
            },
            Self::Ppp(number) => write!(f, "PPP protocol {number:#06x}"),
        }
    }
}
