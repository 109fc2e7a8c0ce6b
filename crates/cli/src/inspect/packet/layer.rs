//! The layers of a packet.

use std::fmt;

use super::unread::Unread;
use super::{link, ppp, tunnel, wireless};

/// A header, or a few headers that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Ethernet,
    Vlan,
    Macsec,
    /// 802.2 logical link control.
    Llc,
    Cooked,
    CookedV2,
    /// Header of BSD loopback interfaces.
    Loopback,
    Nflog,
    Radiotap,
    /// An 802.11 frame. With padding, its header is followed by bytes up to a multiple of four.
    Wlan {
        is_padded: bool,
    },
    Pppoe,
    Ppp,
    CiscoHdlc,
    Mpls,
    Gre,
    ErspanV2,
    ErspanV3,
    EtherIp,
    Vxlan,
    Geneve,
    Ip,
    Udp,
    Tcp,
}

/// Result of skipping a header.
#[derive(Clone, Copy, Debug)]
pub enum Step<'b> {
    /// The payload is a packet of this layer.
    Next(Layer, &'b [u8]),
    /// The packet has no TCP segment that can be read.
    End(Unread),
}

impl Layer {
    /// Skips the header of this layer. Returns `None` if it was not completely captured.
    pub fn step(self, data: &[u8]) -> Option<Step<'_>> {
        match self {
            Self::Ethernet => link::ethernet(data),
            Self::Vlan => link::vlan(data),
            Self::Macsec => link::macsec(data),
            Self::Llc => link::llc(data),
            Self::Cooked => link::cooked(data),
            Self::CookedV2 => link::cooked_v2(data),
            Self::Loopback => link::loopback(data),
            Self::Nflog => link::nflog(data),
            Self::Radiotap => wireless::radiotap(data),
            Self::Wlan { is_padded } => wireless::wlan(data, is_padded),
            Self::Pppoe => ppp::pppoe(data),
            Self::Ppp => ppp::ppp(data),
            Self::CiscoHdlc => ppp::cisco_hdlc(data),
            Self::Mpls => tunnel::mpls(data),
            Self::Gre => tunnel::gre(data),
            Self::ErspanV2 => tunnel::erspan_v2(data),
            Self::ErspanV3 => tunnel::erspan_v3(data),
            Self::EtherIp => tunnel::ether_ip(data),
            Self::Vxlan => tunnel::vxlan(data),
            Self::Geneve => tunnel::geneve(data),
            Self::Udp => tunnel::udp(data),
            // Parsed with IP, which has the addresses and lengths.
            Self::Ip | Self::Tcp => Some(Step::Next(Self::Ip, data)),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Vlan => "VLAN",
            Self::Macsec => "MACsec",
            Self::Llc => "LLC",
            Self::Cooked | Self::CookedV2 => "Linux cooked",
            Self::Loopback => "loopback",
            Self::Nflog => "NFLOG",
            Self::Radiotap => "radiotap",
            Self::Wlan { .. } => "802.11",
            Self::Pppoe => "PPPoE",
            Self::Ppp => "PPP",
            Self::CiscoHdlc => "Cisco HDLC",
            Self::Mpls => "MPLS",
            Self::Gre => "GRE",
            Self::ErspanV2 | Self::ErspanV3 => "ERSPAN",
            Self::EtherIp => "EtherIP",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "GENEVE",
            Self::Ip => "IP",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// Returns the big-endian number at an offset.
pub fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}
