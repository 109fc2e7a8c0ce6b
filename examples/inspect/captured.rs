//! Explains a capture of packets: from its packets to the messages in them.

use std::collections::BTreeSet;

use crate::capture::{self, Packet};
use crate::conversation::{Circumstances, explain_source};
use crate::packet::{Content, Segment, content};
use crate::report::Report;
use crate::tcp::connections;
use crate::traffic::Traffic;

/// What is said of a capture.
pub struct Explained {
    pub reports: Vec<Report>,
    /// What was passed over.
    pub notes: Vec<String>,
    /// Why the rest of the file could not be read.
    pub damage: Option<String>,
}

pub fn explain(file: &str, bytes: &[u8], circumstances: Circumstances) -> Explained {
    let capture = capture::read(bytes);
    let mut passed_over = PassedOver::default();
    let packets = capture.packets.iter().enumerate();
    let segments = packets.filter_map(|(number, packet)| {
        passed_over.sort_out(packet).map(|segment| (number, segment))
    });
    let connections = connections(segments);
    let times = capture.packets.iter().map(|packet| packet.time).collect();
    let mut traffic = Traffic::new(&connections, times);
    // One that carried nothing at all speaks no other protocol.
    let spoken = connections.iter().filter(|connection| connection.is_spoken_on()).count();
    passed_over.connections = spoken.saturating_sub(traffic.count());
    let reports = explain_source(file, &mut traffic, circumstances);
    Explained { reports, notes: passed_over.notes(), damage: capture.damage }
}

#[derive(Default)]
struct PassedOver {
    fragments: usize,
    too_short: usize,
    links: BTreeSet<i32>,
    connections: usize,
}

impl PassedOver {
    fn sort_out<'b>(&mut self, packet: &Packet<'b>) -> Option<Segment<'b>> {
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
            let them = if count == 1 { "" } else { "s" };
            (count > 0).then(|| what.replace("{n}", &count.to_string()).replace("{s}", them))
        };
        let links =
            self.links.iter().map(|link| format!("packets of link type {link} are not read"));
        let counts = [
            counted(
                self.fragments,
                "{n} fragment{s} of IP packets passed over: they are not put together",
            ),
            counted(
                self.too_short,
                "{n} packet{s} passed over: too little of the TCP header was captured",
            ),
            counted(self.connections, "{n} connection{s} without HTTP passed over"),
        ];
        counts.into_iter().flatten().chain(links).collect()
    }
}
