//! Finds the TCP segment in a packet, below up to 16 nested headers of links and tunnels.
//!
//! etherparse parses Ethernet, VLAN, MACsec, IP with extension headers, UDP and TCP. The headers between
//! them, for which it has no parser, are short: the modules here skip them. Tables in [`numbers`] map
//! the numbers of links, protocols and ports to the layer that follows.

mod ip;
mod layer;
mod link;
mod numbers;
mod ppp;
mod tunnel;
mod unread;
mod wireless;

use std::net::SocketAddr;

use crate::inspect::capture::Packet;

use layer::{Layer, Step};
pub use numbers::link_name;
pub use unread::Unread;

/// Maximum number of nested headers.
const MAX_LAYERS: usize = 16;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'b> {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub sequence: u32,
    pub acknowledged: Option<u32>,
    pub is_syn: bool,
    pub is_fin: bool,
    pub is_reset: bool,
    pub data: &'b [u8],
    /// Number of bytes after `data` that were sent and not captured.
    pub cut: usize,
}

/// Returns the innermost TCP segment of a packet, or the reason why it has none that can be read.
pub fn segment<'b>(packet: &Packet<'b>) -> Result<Segment<'b>, Unread> {
    let mut layer = numbers::layer_of_link(packet.link).ok_or(Unread::Link(packet.link))?;
    let (mut data, mut cut) = (packet.data, packet.cut);
    for _ in 0..MAX_LAYERS {
        let step = match layer {
            Layer::Ip => match ip::content(data, cut)? {
                ip::Content::Segment(segment) => return Ok(segment),
                ip::Content::Other(step, rest) => {
                    cut = rest;
                    step
                }
            },
            _ => layer.step(data).ok_or(Unread::Truncated(layer))?,
        };
        match step {
            Step::Next(next, payload) => (layer, data) = (next, payload),
            Step::End(why) => return Err(why),
        }
    }
    Err(Unread::Feature("more than 16 nested headers"))
}
