//! Writing heads, compared with `write!` into a vector with sufficient capacity.

use std::hint::black_box;
use std::io::Write as _;

use bits_proto::field::{ContentName, ContentRange, ReceivedContentRange, SessionId};
use bits_proto::http1::RequestTarget;
use bits_proto::message::{
    Ack, Extras, Fragment, FragmentAck, NO_EXTRAS, PingAck, Refusal, Request,
};

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

/// Returns extra fields in memory on the stack.
fn extras<const N: usize>(fields: [(&str, &str); N]) -> Extras<[u8; 96]> {
    Extras::from_fields([0; 96], fields).expect("valid extras")
}

/// Writes an Ack with extra fields that were checked before.
fn write_ack(ack: Ack<'static>, extras: Extras<[u8; 96]>) -> impl FnMut() {
    let mut buffer = [0; 512];
    move || {
        let (ack, extras) = black_box((&ack, &extras));
        let encoder = ack.encode(extras).expect("extras that an Ack may have");
        let written = encoder.write(&mut buffer).expect("enough space");
        black_box((written, &buffer));
    }
}

/// Writes an Ack with extra fields that are checked for this Ack only.
fn write_ack_once(ack: Ack<'static>) -> impl FnMut() {
    let mut buffer = [0; 512];
    move || {
        let (ack, extras) = (black_box(&ack), extras(of_server()));
        let encoder = ack.encode(&extras).expect("extras that an Ack may have");
        let written = encoder.write(&mut buffer).expect("enough space");
        black_box((written, &buffer));
    }
}

pub fn acks() -> Group {
    let session_id = SessionId::from_random([7; 16]);
    let received = ReceivedContentRange(1 << 20);
    let fragment = Ack::from(FragmentAck::new(session_id, received));
    let by_hand = move || {
        let mut head = Vec::with_capacity(512);
        move || {
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
        }
    };
    let ping = Ack::from(PingAck);
    let ping_by_hand = || {
        let mut head = Vec::with_capacity(512);
        move || {
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
        }
    };
    Group {
        name: "write-ack",
        pairs: vec![
            Pair::new("fragment-ack", write_ack(fragment, extras(of_server())), by_hand())
                .with_bar(0.22),
            Pair::new("ping-ack", write_ack(ping, extras(of_server())), ping_by_hand())
                .with_bar(0.33),
            Pair::new("fragment-ack-and-extras", write_ack_once(fragment), by_hand()),
            Pair::new("ping-ack-and-extras", write_ack_once(ping), ping_by_hand()),
        ],
        each: UNLIMITED,
        mean: None,
    }
}

/// Writes the head of a Fragment with these extra fields.
fn write_fragment(request: &Request<'_>, extras: &Extras<[u8; 96]>, buffer: &mut [u8; 512]) {
    let target = RequestTarget::try_from("/inbox/report.bin").expect("a target");
    let encoder = request.encode(target, extras).expect("extras that a request may have");
    let written = encoder.write(buffer).expect("enough space");
    black_box((written, buffer));
}

pub fn fragments() -> Group {
    let session_id = SessionId::from_random([7; 16]);
    let range = ContentRange::new(1 << 20, (2 << 20) - 1, 5 << 30).expect("a range");
    let name = ContentName::try_from("report.bin").expect("a name");
    let fragment = Fragment { content_name: Some(name), ..Fragment::new(session_id, range) };
    let request = Request::from(fragment);
    let prepared = extras(of_client());
    let mut buffer = [0; 512];
    let ours = move || {
        let (request, extras) = black_box((&request, &prepared));
        write_fragment(request, extras, &mut buffer);
    };
    let mut buffer = [0; 512];
    let once = move || write_fragment(black_box(&request), &extras(of_client()), &mut buffer);
    let by_hand = move || {
        let mut head = Vec::with_capacity(512);
        move || {
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
        }
    };
    Group {
        name: "write-fragment",
        pairs: vec![
            Pair::new("fragment", ours, by_hand()).with_bar(0.31),
            Pair::new("fragment-and-extras", once, by_hand()),
        ],
        each: UNLIMITED,
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
            let encoder = black_box(&ack).encode(&NO_EXTRAS).expect("no extras");
            let written = encoder.write(&mut buffer).expect("enough space");
            black_box((written, &buffer));
        }
    };
    Group {
        name: "write-plain",
        pairs: vec![
            Pair::new("fragment-ack", ours(fragment), by_hand),
            Pair::new("refusal", ours(refusal.into()), refused_by_hand).with_bar(0.38),
        ],
        each: UNLIMITED,
        mean: None,
    }
}
