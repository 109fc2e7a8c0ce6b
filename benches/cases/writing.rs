//! Writing heads, compared with `write!` into a vector with sufficient capacity.

use std::hint::black_box;
use std::io::Write as _;

use bits_proto::field::{ContentName, ContentRange, ReceivedContentRange, SessionId};
use bits_proto::http1::RequestTarget;
use bits_proto::message::{Ack, Fragment, FragmentAck, NO_EXTRAS, PingAck, Refusal, Request};

use super::{Group, MaxRatios, Pair, UNLIMITED};

const DATE: &str = "Tue, 04 Mar 2025 09:15:02 GMT";

/// Fields of a server. Their names are constants, their values are not.
fn of_server() -> [(&'static str, &'static str); 2] {
    [("Date", black_box(DATE)), ("Server", black_box("origin/1.0"))]
}

/// Fields of a client.
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
        let encoder = ack.encode(of_server()).expect("valid extras");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("enough space");
    };
    let mut head = Vec::with_capacity(512);
    let by_hand = move || {
        head.clear();
        let (id, received) = black_box((&session_id, &received));
        let [date, server] = of_server();
        write!(
            head,
            "HTTP/1.1 200 OK\r\nDate: {}\r\nServer: {}\r\nBITS-Packet-Type: Ack\r\n\
            BITS-Session-Id: {}\r\nContent-Length: 0\r\nBITS-Received-Content-Range: {}\r\n\r\n",
            date.1,
            server.1,
            id.as_str(),
            received.0
        )
        .expect("enough space");
        black_box(&head);
    };
    let ping = Ack::from(PingAck);
    let mut buffer = [0; 512];
    let of_ping = move || {
        let ack = black_box(&ping);
        let encoder = ack.encode(of_server()).expect("valid extras");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("enough space");
    };
    let mut head = Vec::with_capacity(512);
    let ping_by_hand = move || {
        head.clear();
        let [date, server] = of_server();
        write!(
            head,
            "HTTP/1.1 200 OK\r\nDate: {}\r\nServer: {}\r\nBITS-Packet-Type: Ack\r\n\
            Content-Length: 0\r\n\r\n",
            date.1, server.1
        )
        .expect("enough space");
        black_box(&head);
    };
    Group {
        name: "write-ack",
        pairs: vec![
            Pair::new("fragment-ack", of_fragment, by_hand),
            Pair::new("ping-ack", of_ping, ping_by_hand),
        ],
        each: MaxRatios { instructions: 0.33, time: f64::INFINITY },
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
        let target = RequestTarget::try_from("/inbox/report.bin").expect("a target");
        let encoder = request.encode(target, of_client()).expect("valid extras");
        black_box((encoder.write(&mut buffer), &buffer)).0.expect("enough space");
    };
    let mut head = Vec::with_capacity(512);
    let by_hand = move || {
        head.clear();
        let (id, range) = black_box((&session_id, &range));
        let [agent, host, connection] = of_client();
        write!(
            head,
            "BITS_POST /inbox/report.bin HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {}\r\n\
            Content-Name: report.bin\r\nContent-Range: bytes {}-{}/{}\r\nUser-Agent: {}\r\n\
            Host: {}\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n",
            id.as_str(),
            range.first(),
            range.last(),
            range.total(),
            agent.1,
            host.1,
            range.len(),
            connection.1,
        )
        .expect("enough space");
        black_box(&head);
    };
    Group {
        name: "write-fragment",
        pairs: vec![Pair::new("fragment", ours, by_hand)],
        each: MaxRatios { instructions: 0.30, time: f64::INFINITY },
        mean: None,
    }
}

/// Without extra fields, to measure the messages themselves.
pub fn plain() -> Group {
    let session_id = SessionId::from_random([7; 16]);
    let received = ReceivedContentRange(1 << 20);
    let fragment = Ack::from(FragmentAck::new(session_id, received));
    let mut head = Vec::with_capacity(512);
    let by_hand = move || {
        head.clear();
        let (id, received) = black_box((&session_id, &received));
        write!(
            head,
            "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {}\r\n\
            Content-Length: 0\r\nBITS-Received-Content-Range: {}\r\n\r\n",
            id.as_str(),
            received.0
        )
        .expect("enough space");
        black_box(&head);
    };
    let refusal = Refusal::session_not_found();
    let mut head = Vec::with_capacity(512);
    let refused_by_hand = move || {
        head.clear();
        let refusal = black_box(&refusal);
        let code = refusal.code().expect("it has a code").get();
        write!(
            head,
            "HTTP/1.1 {} {}\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\
            BITS-Error: 0x{code:08X}\r\nBITS-Error-Code: 0x{code:08X}\r\n\
            BITS-Error-Context: 0x{:X}\r\n\r\n",
            refusal.status().get(),
            refusal.status().reason(),
            refusal.context().expect("it has a context").0
        )
        .expect("enough space");
        black_box(&head);
    };
    let ours = |ack: Ack<'static>| {
        let mut buffer = [0; 512];
        move || {
            let encoder = black_box(&ack).encode(NO_EXTRAS).expect("no extras");
            black_box((encoder.write(&mut buffer), &buffer)).0.expect("enough space");
        }
    };
    Group {
        name: "write-plain",
        pairs: vec![
            Pair::new("fragment-ack", ours(fragment), by_hand),
            Pair::new("refusal", ours(refusal.into()), refused_by_hand),
        ],
        each: UNLIMITED,
        mean: None,
    }
}
