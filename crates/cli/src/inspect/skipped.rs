//! Counts packets and connections that are not explained.

use std::collections::BTreeMap;

use crate::inspect::capture::Packet;
use crate::inspect::counted::counted;
use crate::inspect::packet::{Segment, Unread, segment};

/// Numbers of packets without a TCP segment that can be read, by reason.
#[derive(Debug, Default)]
pub struct Skipped {
    packets: BTreeMap<Unread, u64>,
    segments: u64,
    /// Connections with data, but without HTTP.
    pub connections: u64,
}

impl Skipped {
    /// Returns the TCP segment in a packet, or counts the packet as skipped.
    pub fn filter<'b>(&mut self, packet: &Packet<'b>) -> Option<Segment<'b>> {
        match segment(packet) {
            Ok(segment) => {
                self.segments += 1;
                Some(segment)
            }
            Err(why) => {
                *self.packets.entry(why).or_default() += 1;
                None
            }
        }
    }

    /// Returns a note for each kind of skipped data.
    pub fn notes(&self) -> Vec<String> {
        let protocols = self.protocols();
        let total: u64 = protocols.iter().map(|(_, count)| count).sum();
        let without_tcp = (total > 0)
            .then(|| format!("{} without TCP: {}", counted(total, "packet"), list(&protocols)));
        let skipped = self.unreadable().chain(self.without_http());
        without_tcp.into_iter().chain(skipped.map(|what| format!("skipped {what}"))).collect()
    }

    /// Returns the reason why there is no message.
    pub fn why_no_message(&self) -> String {
        let (what, segments) = match (self.segments, self.connections) {
            (0, _) => ("TCP segment", None),
            (count, 0) => ("HTTP message", Some(counted(count, "TCP segment") + " without data")),
            _ => ("HTTP message", None),
        };
        let protocols = self.protocols();
        let protocols = (!protocols.is_empty()).then(|| list(&protocols));
        let reasons = segments.into_iter().chain(self.without_http()).chain(protocols);
        let reasons: Vec<_> = reasons.chain(self.unreadable()).collect();
        match reasons.is_empty() {
            true => format!("no {what}: the capture has no packet"),
            false => format!("no {what}: {}", reasons.join("; ")),
        }
    }

    fn without_http(&self) -> Option<String> {
        let connections = || counted(self.connections, "connection") + " without HTTP";
        (self.connections > 0).then(connections)
    }

    /// Returns the protocols without TCP, the most frequent first.
    fn protocols(&self) -> Vec<(Unread, u64)> {
        let packets = self.packets.iter().map(|(why, count)| (*why, *count));
        let mut protocols: Vec<_> =
            packets.filter(|(why, _)| matches!(why, Unread::Protocol(_))).collect();
        protocols.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        protocols
    }

    /// Describes the packets that cannot be read.
    fn unreadable(&self) -> impl Iterator<Item = String> {
        let packets = self.packets.iter();
        packets
            .filter(|(why, _)| !matches!(why, Unread::Protocol(_)))
            .map(|(why, count)| why.describe(*count))
    }
}

fn list(counts: &[(Unread, u64)]) -> String {
    let items: Vec<_> = counts.iter().map(|(why, count)| why.describe(*count)).collect();
    items.join(", ")
}
