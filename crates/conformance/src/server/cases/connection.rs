//! HTTP connections: what real clients and networks do.

use std::time::Duration;

use crate::Level::{Must, Robustness, Security};
use crate::server::connection::Connection;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::packet::Packet;
use crate::server::test::Test;

/// A case about a connection.
macro_rules! case {
    ($id:literal, $level:ident, $requirements:expr, $advice:literal, $run:expr) => {
        Entry::new($id, $level, $requirements, $advice, |test| Box::pin($run(test)))
    };
}

pub(super) const CASES: &[Entry] = &[
    case!(
        "connection.head_bytewise",
        Robustness,
        &["RFC9112-2.2"],
        "Read heads that arrive in any number of segments.",
        bytewise
    ),
    case!(
        "connection.pipelined",
        Robustness,
        &["RFC9112-9.3.2"],
        "Answer pipelined requests one after the other, in their order.",
        pipelined
    ),
    case!(
        "connection.pipelined_upload",
        Robustness,
        &["RFC9112-9.3.2"],
        "Store pipelined fragments in their order.",
        pipelined_upload
    ),
    case!(
        "connection.expect",
        Must,
        &["RFC9110-10.1.1"],
        "Send 100 (Continue) when a client sends Expect: 100-continue and waits with its body.",
        expect
    ),
    case!(
        "connection.expect_refused",
        Robustness,
        &["RFC9110-10.1.1"],
        "Refuse a fragment with Expect: 100-continue before its body if the session is unknown.",
        expect_refused
    ),
    case!(
        "connection.close",
        Robustness,
        &["RFC9112-9.6"],
        "Close the connection after the response to a request with Connection: close.",
        close
    ),
    case!(
        "connection.http_1_0",
        Must,
        &["R2.2.1-1", "R3.2.5.2.3-3"],
        "Refuse packets of HTTP/1.0.",
        http_1_0
    ),
    case!(
        "connection.absolute_target",
        Robustness,
        &["RFC9112-3.2.2"],
        "Accept the absolute form of the request target, which clients send through proxies.",
        absolute_target
    ),
    case!(
        "connection.garbage",
        Robustness,
        &["RFC9112-2.2"],
        "Close connections that do not speak HTTP, and serve others.",
        |test| unrelated(test, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\r\n\r\n")
    ),
    case!(
        "connection.incomplete_head",
        Robustness,
        &["RFC9112-8"],
        "Serve other connections while the head of a request is incomplete.",
        |test| unrelated(test, b"BITS_POST / HTTP/1.1\r\nHost: h\r\nBITS-Packet-Ty")
    ),
    case!(
        "connection.large_head",
        Security,
        &["R2.2.1-5"],
        "Limit the length of heads: answer with 431 or close the connection.",
        large_head
    ),
    case!(
        "connection.many_fields",
        Security,
        &["RFC9110-5.4"],
        "Limit the number of fields: answer with 431 or close the connection.",
        many_fields
    ),
    case!(
        "connection.long_target",
        Security,
        &["RFC9112-3"],
        "Answer a request target of 20 000 bytes with 414, or close the connection.",
        long_target
    ),
    case!(
        "connection.idle",
        Robustness,
        &["RFC9112-9.5"],
        "Serve new clients while many connections are idle.",
        idle
    ),
    case!(
        "connection.method.unknown",
        Must,
        &["R2.2.1-3", "RFC9110-9.1"],
        "Refuse unknown methods.",
        |test| method(test, "FOO")
    ),
    case!(
        "connection.method.lower_case",
        Must,
        &["R2.2.1-3", "RFC9110-9.1"],
        "Refuse `bits_post`: methods are case-sensitive.",
        |test| method(test, "bits_post")
    ),
    case!(
        "connection.half_closed",
        Robustness,
        &["RFC9112-9.6"],
        "Answer a request whose client has closed its side of the connection.",
        half_closed
    ),
];

/// A Ping of a path without a past.
fn ping(test: &mut Test) -> Packet {
    let path = test.new_path();
    test.packet("Ping", &path)
}

async fn bytewise(test: &mut Test) -> Outcome {
    let mut connection = test.connect().await?;
    let head = ping(test).add("X-Bytewise", "1").head();
    let (first, rest) = head.split_at(1);
    connection.send_raw(first).await?;
    for byte in rest {
        connection.write(&[*byte]).await?;
    }
    connection.answer().await?.success()
}

async fn pipelined(test: &mut Test) -> Outcome {
    let mut connection = test.connect().await?;
    let path = test.new_path();
    let create = test.create(&path).add("X-Pipelined", "1");
    let bytes = [test.packet("Ping", &path).head(), create.head()].concat();
    connection.send_raw(&bytes).await?;
    connection.answer().await?.success()?;
    if connection.is_closed {
        return Err(Stop::NotApplicable("server announces the end of each connection".into()));
    }
    let answer = connection.answer().await?;
    answer.success()?;
    test.opened(connection, &answer, &path, 1).map(drop)
}

async fn pipelined_upload(test: &mut Test) -> Outcome {
    let mut session = test.session(166).await?;
    let mut bytes = Vec::new();
    for start in [0, 83] {
        let packet = session.fragment_packet(start..start + 83);
        bytes.extend([packet.head(), packet.body].concat());
    }
    session.connection.send_raw(&bytes).await?;
    session.connection.answer().await?.accepted(83)?;
    session.next = 83;
    if !session.connection.is_closed {
        session.connection.answer().await?.accepted(166)?;
        session.next = 166;
    }
    test.complete(&mut session).await
}

async fn expect(test: &mut Test) -> Outcome {
    let mut session = test.session(167).await?;
    let packet = session.fragment_packet(0..167).add("Expect", "100-continue");
    session.connection.begin(&packet).await?;
    if !session.connection.has_more(session.timeout()).await? {
        return Err(Stop::Fail("expected 100 (Continue); received nothing".into()));
    }
    session.connection.write(&packet.body).await?;
    let answer = session.connection.answer().await?;
    if answer.status == 417 && !session.connection.is_continued {
        let reason = "server does not support Expect: 100-continue (417)";
        return Err(Stop::NotApplicable(reason.into()));
    }
    answer.accepted(167)?;
    session.next = 167;
    test.complete(&mut session).await
}

async fn expect_refused(test: &mut Test) -> Outcome {
    let mut session = test.session(168).await?;
    session.cancel().await?;
    let packet = session.fragment_packet(0..168).add("Expect", "100-continue");
    session.reconnect().await?;
    session.connection.begin(&packet).await?;
    session.connection.answer().await?.refused()
}

async fn close(test: &mut Test) -> Outcome {
    let mut connection = test.connect().await?;
    let packet = ping(test).add("Connection", "close");
    connection.exchange(&packet).await?.success()?;
    match connection.answer_or_end().await? {
        None => Ok(()),
        Some(answer) => answer.fail("the end of the connection"),
    }
}

async fn http_1_0(test: &mut Test) -> Outcome {
    let packet = Packet { version: "HTTP/1.0", ..ping(test) };
    // The observer expects HTTP/1.1.
    let mut connection = test.connect().await?;
    connection.send_raw(&packet.head()).await?;
    match connection.answer_or_end().await? {
        None => Ok(()),
        Some(answer) => answer.refused(),
    }
}

/// Sends a request that must have no success.
async fn refused_or_closed(connection: &mut Connection, packet: &Packet) -> Outcome {
    connection.send(packet).await?;
    match connection.answer_or_end().await? {
        None => Ok(()),
        Some(answer) => answer.refused(),
    }
}

async fn absolute_target(test: &mut Test) -> Outcome {
    let mut session = test.session(169).await?;
    let mut packet = session.fragment_packet(0..169);
    packet.target = format!("http://{}{}", test.shared.target.authority(), session.path);
    let bytes = [packet.head(), packet.body].concat();
    session.connection.send_raw(&bytes).await?;
    session.connection.answer().await?.accepted(169)?;
    session.next = 169;
    test.complete(&mut session).await
}

/// Sends bytes that are no request, and a Ping on another connection.
async fn unrelated(test: &mut Test, bytes: &[u8]) -> Outcome {
    let mut other = test.connect().await?;
    other.send_raw(bytes).await?;
    let ping = ping(test).add("X-Unrelated", bytes.len().to_string());
    test.exchange(&ping).await?.success()?;
    other.close().await;
    Ok(())
}

/// Sends a head that exceeds limits. Its response is free, but other requests are served.
async fn excessive(test: &mut Test, packet: Packet, name: &str) -> Outcome {
    let mut connection = test.connect().await?;
    connection.send(&packet).await?;
    // The connection may be reset.
    connection.answer_or_end().await?;
    let ping = ping(test).add("X-After", name);
    test.exchange(&ping).await?.success()
}

async fn large_head(test: &mut Test) -> Outcome {
    let packet = ping(test).add("X-Large", "x".repeat(1 << 20));
    excessive(test, packet, "large head").await
}

async fn many_fields(test: &mut Test) -> Outcome {
    let packet = (0..2000).fold(ping(test), |packet, it| packet.add(&format!("X-{it}"), "x"));
    excessive(test, packet, "many fields").await
}

async fn long_target(test: &mut Test) -> Outcome {
    let mut packet = ping(test);
    packet.target = format!("{}{}", packet.target, "x".repeat(20_000));
    excessive(test, packet, "long target").await
}

async fn idle(test: &mut Test) -> Outcome {
    let mut idle = Vec::new();
    for _ in 0..32 {
        idle.push(test.connect().await?);
    }
    let ping = ping(test).add("X-Idle", "32");
    test.exchange(&ping).await?.success()
}

async fn method(test: &mut Test, method: &str) -> Outcome {
    let packet = Packet { method: method.into(), ..ping(test) };
    refused_or_closed(&mut test.connect().await?, &packet).await
}

async fn half_closed(test: &mut Test) -> Outcome {
    let mut connection = test.connect().await?;
    let packet = ping(test).add("X-Half-Closed", "1");
    connection.send(&packet).await?;
    connection.half_close().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    connection.answer().await?.success()
}
