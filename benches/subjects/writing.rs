//! Writing heads, beside `write!` into a vector that is large enough.

use std::hint::black_box;
use std::io::Write as _;

use bits_proto::field::{ContentName, ContentRange, ReceivedContentRange, SessionId};
use bits_proto::head::Target;
use bits_proto::message::{Ack, Fragment, FragmentAck, PingAck, Request};

use super::{Bars, Group, Pair};

const DATE: &str = "Tue, 04 Mar 2025 09:15:02 GMT";

/// What a server adds. Both sides know the names, and neither the values.
fn of_server() -> [(&'static str, &'static str); 2] {
    [("Date", black_box(DATE)), ("Server", black_box("origin/1.0"))]
}

/// What a client adds.
fn of_client() -> [(&'static str, &'static str); 3] {
    let connection = ("Connection", black_box("Keep-Alive"));
    let agent = ("User-Agent", black_box("Microsoft BITS/7.8"));
    [agent, ("Host", black_box("origin.example")), connection]
}

pub fn acks() -> Group {
    let session_id = SessionId::from_random([7; 16]);
    let received = ReceivedContentRange(1 << 20);
    let fragment = Ack::from(FragmentAck::new(session_id, received));
    let mut buffer = [0; 512];
    let of_fragment = move || {
        let ack = black_box(&fragment);
        let encoder = ack.encode(of_server()).expect("the extras are fine");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("there is room");
    };
    let mut head = Vec::with_capacity(512);
    let by_hand = move || {
        head.clear();
        let (id, received) = black_box((&session_id, &received));
        let [date, server] = of_server();
        write!(
            head,
            "HTTP/1.1 {} {}\r\nDate: {}\r\nServer: {}\r\nBITS-Packet-Type: {}\r\n\
            BITS-Session-Id: {}\r\nContent-Length: {}\r\nBITS-Received-Content-Range: {}\r\n\r\n",
            200,
            "OK",
            date.1,
            server.1,
            "Ack",
            id.as_str(),
            0,
            received.0
        )
        .expect("there is room");
        black_box(&head);
    };
    let ping = Ack::from(PingAck);
    let mut buffer = [0; 512];
    let of_ping = move || {
        let ack = black_box(&ping);
        let encoder = ack.encode(of_server()).expect("the extras are fine");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("there is room");
    };
    let mut head = Vec::with_capacity(512);
    let ping_by_hand = move || {
        head.clear();
        let [date, server] = of_server();
        write!(
            head,
            "HTTP/1.1 {} {}\r\nDate: {}\r\nServer: {}\r\nBITS-Packet-Type: {}\r\n\
            Content-Length: {}\r\n\r\n",
            200, "OK", date.1, server.1, "Ack", 0
        )
        .expect("there is room");
        black_box(&head);
    };
    Group {
        name: "write-ack",
        pairs: vec![
            Pair::new("fragment-ack", of_fragment, by_hand),
            Pair::new("ping-ack", of_ping, ping_by_hand),
        ],
        each: Bars { instructions: 0.33, time: f64::INFINITY },
        mean: None,
    }
}

pub fn fragments() -> Group {
    let session_id = SessionId::from_random([7; 16]);
    let range = ContentRange::new(1 << 20, (2 << 20) - 1, 5 << 30).expect("a range");
    let name = ContentName::try_from("report.bin").expect("a name");
    let fragment = Fragment { content_name: Some(name), ..Fragment::new(session_id, range) };
    let request = Request::from(fragment);
    let mut buffer = [0; 512];
    let ours = move || {
        let request = black_box(&request);
        let target = Target::try_from("/inbox/report.bin").expect("a target");
        let encoder = request.encode(target, of_client()).expect("the extras are fine");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("there is room");
    };
    let mut head = Vec::with_capacity(512);
    let by_hand = move || {
        head.clear();
        let (id, range) = black_box((&session_id, &range));
        let [agent, host, connection] = of_client();
        write!(
            head,
            "BITS_POST {} HTTP/1.1\r\nBITS-Packet-Type: {}\r\nBITS-Session-Id: {}\r\n\
            Content-Name: {}\r\nContent-Range: bytes {}-{}/{}\r\nUser-Agent: {}\r\n\
            Host: {}\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n",
            "/inbox/report.bin",
            "Fragment",
            id.as_str(),
            "report.bin",
            range.first(),
            range.last(),
            range.total(),
            agent.1,
            host.1,
            range.len(),
            connection.1,
        )
        .expect("there is room");
        black_box(&head);
    };
    Group {
        name: "write-fragment",
        pairs: vec![Pair::new("fragment", ours, by_hand)],
        each: Bars { instructions: 0.30, time: f64::INFINITY },
        mean: None,
    }
}
