//! The cost of many connections, as the number of conversations that observers visit.

use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};

use crate::inspect::observers::Observers;

const ACK: &[u8] = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";

fn request(observers: &mut Observers, connection: usize, text: &str) {
    let (mut slots, mut answer_slots) = (HeaderSlots::new(), HeaderSlots::new());
    let Ok(Progress::Complete(head)) = RequestHead::parse(text.as_bytes(), &mut slots) else {
        panic!("a valid head: {text:?}")
    };
    let ends = format!("192.0.2.1:{connection} > 192.0.2.2:80");
    let observed = observers.request(connection, Some(&ends), &head, &mut Vec::new());
    let Ok(Progress::Complete(answer)) = ResponseHead::parse(ACK, &mut answer_slots) else {
        panic!("a valid head")
    };
    observers.response(&observed, &answer, &mut Vec::new());
}

/// Returns the visits for connections with a packet and a download, each for a URL of its own.
fn visits(connections: usize, finish: impl Fn(&mut Observers, usize)) -> usize {
    let mut observers = Observers::new(false);
    for connection in 0..connections {
        let packet = format!(
            "BITS_POST /{connection} HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n"
        );
        request(&mut observers, connection, &packet);
        let download = format!("GET /file{connection} HTTP/1.1\r\nRange: bytes=0-9\r\n\r\n");
        request(&mut observers, connection, &download);
    }
    (0..connections).for_each(|connection| finish(&mut observers, connection));
    observers.visits()
}

#[test]
fn the_end_of_a_connection_visits_only_its_own_conversations() {
    let ended = |connections| visits(connections, Observers::ended);
    assert_eq!(ended(1000), 10 * ended(100));
}

#[test]
fn a_gap_on_a_connection_resets_only_its_own_conversations() {
    let reset = |connections| visits(connections, Observers::reset);
    assert_eq!(reset(1000), 10 * reset(100));
}

/// The messages of a file are on one connection, and a gap may follow each of them.
#[test]
fn each_gap_on_a_connection_resets_only_requests_since_the_previous_gap() {
    let gaps = |requests: usize| {
        let mut observers = Observers::new(false);
        for number in 0..requests {
            let download = format!("GET /{number} HTTP/1.1\r\nRange: bytes=0-9\r\n\r\n");
            request(&mut observers, 0, &download);
            observers.reset(0);
        }
        observers.visits()
    };
    assert_eq!(gaps(1000), 10 * gaps(100));
}
