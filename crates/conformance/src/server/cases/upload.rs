//! Complete uploads of every shape.

use crate::Level::{Must, Robustness, Security, Should};
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::test::Test;

/// Uploads an entity in fragments of this size.
async fn in_fragments(test: &mut Test, length: u64, size: u64) -> Outcome {
    let mut session = test.session(length).await?;
    let mut start = 0;
    while start < length {
        let end = length.min(start + size);
        session.accept(start..end).await?;
        start = end;
    }
    test.complete(&mut session).await
}

/// Uploads an entity in the ranges between these offsets.
async fn at_offsets(test: &mut Test, offsets: &[u64]) -> Outcome {
    let length = offsets.last().copied().unwrap_or_default();
    let mut session = test.session(length).await?;
    for pair in offsets.windows(2) {
        let [start, end] = pair else { continue };
        session.accept(*start..*end).await?;
    }
    test.complete(&mut session).await
}

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "upload.empty",
        Should,
        &["R3.2.5.2.7-1", "R2.2.8-1"],
        "Create an empty entity when a session is closed without a fragment: it is an upload of 0 bytes.",
        |test| Box::pin(empty(test)),
    ),
    Entry::new(
        "upload.one_byte",
        Must,
        &["R2.2.6.3-1", "R3.2.5.2.7-1"],
        "Accept an entity of one byte, whose range is `bytes 0-0/1`.",
        |test| Box::pin(in_fragments(test, 1, 1)),
    ),
    Entry::new(
        "upload.one_fragment",
        Must,
        &["R2.2.6.3-1", "R3.2.5.2.7-1"],
        "Accept an entity in one fragment and publish exactly its bytes.",
        |test| Box::pin(in_fragments(test, 100, 100)),
    ),
    Entry::new(
        "upload.two_fragments",
        Must,
        &["R2.2.6.3-1", "R2.2.7.2-2", "R3.2.5.2.7-1"],
        "Append the second fragment behind the first one.",
        |test| Box::pin(in_fragments(test, 98, 49)),
    ),
    Entry::new(
        "upload.many_fragments",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.7-1"],
        "Accept any number of fragments, which need not have equal lengths.",
        |test| Box::pin(in_fragments(test, 2000, 97)),
    ),
    Entry::new(
        "upload.bytewise",
        Robustness,
        &["R2.2.6-2"],
        "Accept fragments of one byte, which clients send at the end of an entity.",
        |test| Box::pin(in_fragments(test, 9, 1)),
    ),
    Entry::new(
        "upload.last_byte",
        Must,
        &["R2.2.7.2-2"],
        "Accept a last fragment of one byte.",
        |test| Box::pin(at_offsets(test, &[0, 64, 65])),
    ),
    Entry::new(
        "upload.first_byte",
        Robustness,
        &["R2.2.7.2-2"],
        "Accept a first fragment of one byte before a long one.",
        |test| Box::pin(at_offsets(test, &[0, 1, 700])),
    ),
    Entry::new(
        "upload.power_of_two",
        Robustness,
        &["R3.2.5.2.7-1"],
        "Publish all bytes of an entity that fills whole blocks.",
        |test| Box::pin(at_offsets(test, &[0, 4096, 8192])),
    ),
    Entry::new(
        "upload.large_fragment",
        Robustness,
        &["R2.2.6-2"],
        "Accept a fragment of a mebibyte, which is common; Windows sends more.",
        |test| Box::pin(in_fragments(test, 1 << 20, 1 << 20)),
    ),
    Entry::new(
        "upload.http_content",
        Security,
        &["R2.2.6.3-1"],
        "Treat the body of a fragment as bytes, even if it looks like HTTP.",
        |test| Box::pin(http_content(test)),
    ),
    Entry::new(
        "upload.new_connection",
        Must,
        &["R3.2.5.2.3-8"],
        "Find a session by its id, and not by its connection: clients continue on other connections.",
        |test| Box::pin(new_connections(test)),
    ),
    Entry::new(
        "upload.one_connection",
        Robustness,
        &["RFC9112-9.3"],
        "Serve several requests on one connection; otherwise announce the end with Connection: close.",
        |test| Box::pin(one_connection(test)),
    ),
    Entry::new(
        "upload.two_uploads",
        Must,
        &["R2.2.1.2-3"],
        "Keep the bytes of two sessions apart.",
        |test| Box::pin(two_uploads(test)),
    ),
    Entry::new(
        "upload.not_early",
        Should,
        &["R3.2.5.2.4-4"],
        "Publish the entity when it is complete; keep received bytes in a temporary place until then.",
        |test| Box::pin(not_early(test)),
    ),
    Entry::new(
        "upload.content_name_is_no_path",
        Security,
        &["R2.2.1.1-1"],
        "Publish the entity at its URL; Content-Name is only the name of the client's file.",
        |test| Box::pin(content_name(test)),
    ),
    Entry::new(
        "upload.sequence",
        Must,
        &["R3.2.5.2.7-2"],
        "Accept another upload after one has been closed, on the same connection too.",
        |test| Box::pin(sequence(test)),
    ),
];

async fn empty(test: &mut Test) -> Outcome {
    let mut session = test.session(0).await?;
    test.complete(&mut session).await
}

async fn http_content(test: &mut Test) -> Outcome {
    let text = b"0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n\0\x1a\xff";
    let mut session = test.session(text.len() as u64).await?;
    let packet = session.fragment_packet(0..text.len() as u64).body(text);
    session.exchange(&packet).await?.accepted(text.len() as u64)?;
    session.close().await?.success()?;
    match test.published(&session.path).await? {
        Some(bytes) if bytes == text => Ok(()),
        Some(bytes) => Err(Stop::Loss(format!(
            "expected the {} bytes of the body; published are \"{}\"",
            text.len(),
            bytes.escape_ascii()
        ))),
        None => Err(Stop::Loss("expected an entity; it does not exist".into())),
    }
}

async fn new_connections(test: &mut Test) -> Outcome {
    let mut session = test.session(60).await?;
    for start in [0, 20, 40] {
        session.reconnect().await?;
        session.accept(start..start + 20).await?;
    }
    session.reconnect().await?;
    test.complete(&mut session).await
}

async fn one_connection(test: &mut Test) -> Outcome {
    let mut session = test.session(40).await?;
    for start in [0, 20] {
        if session.connection.is_closed {
            return Err(Stop::NotApplicable("server announces the end of each connection".into()));
        }
        let packet = session.fragment_packet(start..start + 20);
        session.connection.exchange(&packet).await?.accepted(start + 20)?;
    }
    let close = session.packet("Close-Session");
    session.connection.exchange(&close).await?.success()
}

async fn two_uploads(test: &mut Test) -> Outcome {
    let mut first = test.session(46).await?;
    let mut second = test.session(46).await?;
    first.accept(0..23).await?;
    second.accept(0..23).await?;
    second.accept(23..46).await?;
    first.accept(23..46).await?;
    test.complete(&mut second).await?;
    test.complete(&mut first).await
}

async fn not_early(test: &mut Test) -> Outcome {
    let mut session = test.session(44).await?;
    session.accept(0..22).await?;
    test.is_absent(&session.path).await
}

async fn content_name(test: &mut Test) -> Outcome {
    let mut session = test.session(31).await?;
    let other = test.new_path();
    let name = other.rsplit('/').next().unwrap_or_default();
    let packet = session.fragment_packet(0..31).add("Content-Name", name);
    session.exchange(&packet).await?.accepted(31)?;
    session.next = 31;
    test.complete(&mut session).await?;
    test.is_absent(&other).await
}

async fn sequence(test: &mut Test) -> Outcome {
    let mut first = test.session(127).await?;
    first.finish().await?;
    let path = test.new_path();
    let create = test.create(&path);
    let answer = first.exchange(&create).await?;
    answer.success()?;
    let (first_path, content) = (first.path.clone(), first.content);
    let mut second = test.opened(first.connection, &answer, &path, 128)?;
    test.complete(&mut second).await?;
    test.has_content(&first_path, content).await
}
