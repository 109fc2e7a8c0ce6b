//! Explains the messages in a packet capture.

use std::collections::BTreeSet;

use crate::capture::{self, Packet};
use crate::conversation::{Context, explain_source};
use crate::packet::{Content, Segment, content};
use crate::report::Report;
use crate::tcp::connections;
use crate::traffic::Traffic;

/// Explanation of an input.
pub struct Explained {
    pub reports: Vec<Report>,
    /// Notes about skipped data.
    pub notes: Vec<String>,
    /// Reason why the rest of the file cannot be read.
    pub damage: Option<String>,
}

pub fn explain(file: &str, bytes: &[u8], context: Context) -> Explained {
    let capture = capture::read(bytes);
    let mut skipped = Skipped::default();
    let packets = capture.packets.iter().enumerate();
    let segments = packets
        .filter_map(|(number, packet)| skipped.filter(packet).map(|segment| (number, segment)));
    let connections = connections(segments);
    let times = capture.packets.iter().map(|packet| packet.time).collect();
    let mut traffic = Traffic::new(&connections, times);
    // Connections without data are not counted.
    let with_data = connections.iter().filter(|connection| connection.has_data()).count();
    skipped.connections = with_data.saturating_sub(traffic.count());
    let reports = explain_source(file, &mut traffic, context);
    Explained { reports, notes: skipped.notes(), damage: capture.damage }
}

/// Counts skipped data.
#[derive(Default)]
struct Skipped {
    fragments: usize,
    too_short: usize,
    links: BTreeSet<i32>,
    connections: usize,
}

impl Skipped {
    /// Returns the TCP segment in a packet, or counts the packet as skipped.
    fn filter<'b>(&mut self, packet: &Packet<'b>) -> Option<Segment<'b>> {
        match content(packet) {
            Content::Segment(segment) => return Some(segment),
            Content::Fragment => self.fragments += 1,
            Content::TooShort => self.too_short += 1,
            Content::UnknownLink => _ = self.links.insert(packet.link),
            Content::Other => {}
        }
        None
    }

    fn notes(&self) -> Vec<String> {
        let counted = |count: usize, what: &str| {
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| what.replace("{n}", &count.to_string()).replace("{s}", plural))
        };
        let links = self
            .links
            .iter()
            .map(|link| format!("skipped packets with unsupported link type {link}"));
        let counts = [
            counted(
                self.fragments,
                "skipped {n} IP fragment{s}: fragmented packets are not reassembled",
            ),
            counted(
                self.too_short,
                "skipped {n} packet{s}: the TCP header was not completely captured",
            ),
            counted(self.connections, "skipped {n} connection{s} without HTTP"),
        ];
        counts.into_iter().flatten().chain(links).collect()
    }
}
