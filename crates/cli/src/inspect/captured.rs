//! Explains the messages in a packet capture.

use crate::inspect::capture;
use crate::inspect::conversation::{Context, Ending, Trace, explain_source};
use crate::inspect::report::Report;
use crate::inspect::skipped::Skipped;
use crate::inspect::tcp::connections;
use crate::inspect::traffic::Traffic;

/// Explanation of an input.
#[derive(Default)]
pub struct Explained {
    pub reports: Vec<Report>,
    /// The ends of the connections in a capture.
    pub endings: Vec<Ending>,
    /// Notes about skipped data.
    pub notes: Vec<String>,
    /// Reason why a readable file has nothing to explain.
    pub failure: Option<String>,
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
    skipped.connections = with_data.saturating_sub(traffic.count()) as u64;
    let Trace { reports, endings } = explain_source(file, &mut traffic, context);
    let is_failure = reports.is_empty() && capture.damage.is_none();
    let (notes, failure) = match is_failure {
        true => (Vec::new(), Some(skipped.why_no_message())),
        false => (skipped.notes(), None),
    };
    Explained { reports, endings, notes, failure, damage: capture.damage }
}
