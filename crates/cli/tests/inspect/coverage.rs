//! The reports cover each byte exactly once, for all inputs.

use crate::support::capture::Side::{self, Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use crate::support::cases::config;
use crate::support::vectors;
use bits_cli::inspect::captured;
use bits_cli::inspect::conversation::{self, Context};
use bits_cli::inspect::report::Report;
use bits_cli::inspect::source::Direction;
use proptest::prelude::*;

/// Returns messages, parts of messages, malformed messages and other bytes.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let messages: Vec<_> = vectors::all().into_iter().map(|message| message.bytes).collect();
    const WORDS: [&str; 19] = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
        "BITS_POST /e HTTP/1.1\r\n",
        "BITS_POST /my file HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "FROB /x HTTP/2.0\r\nA: b\r\n\r\n",
        "Content-Length: 30\r\n\r\n",
        "5\r\nabcde\r\n",
        "0\r\n\r\n",
        "HTTP/",
        "FROB ",
        "/x HTTP/1.1",
        "POST ",
        "\r\n\r\n",
        " \n",
        "\0",
    ];
    let cut = (prop::sample::select(messages.clone()), any::<prop::sample::Index>())
        .prop_map(|(message, at)| message[..at.index(message.len())].to_vec());
    prop_oneof![
        3 => prop::sample::select(messages),
        1 => cut,
        4 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// Checks that reports follow one another without a gap, up to white space at the end of the bytes.
fn check(reports: &[&Report], bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut end = 0;
    for report in reports {
        prop_assert!(report.length > 0, "{report:?}");
        if let Some(skipped) = &report.skipped {
            prop_assert_eq!(skipped.offset, end);
            prop_assert_eq!(skipped.length, report.length);
        }
        end += report.length;
    }
    let rest = bytes.get(end as usize..);
    prop_assert!(rest.is_some_and(|rest| rest.trim_ascii().is_empty()), "{end}: {reports:#?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..config() })]

    #[test]
    fn each_byte_of_a_file_is_reported_once(parts in prop::collection::vec(part(), 0..12)) {
        let bytes = parts.concat();
        let reports = conversation::explain("", &bytes, Context::default());
        check(&reports.iter().collect::<Vec<_>>(), &bytes)?;
    }

    /// Parts of both directions alternate. Some are not captured; they count as sent.
    #[test]
    fn each_byte_of_a_stream_is_reported_once(
        parts in prop::collection::vec((any::<bool>(), 0..8, part()), 0..12),
        is_start_captured in any::<bool>(),
        is_closed in any::<bool>(),
    ) {
        let mut dialogue = match is_start_captured {
            true => Dialogue::opened(50000, [7, 8]),
            false => Dialogue::new(50000, [7, 8]),
        };
        // Missing bytes are like other bytes that are not white space.
        let mut sent = [Vec::new(), Vec::new()];
        for (is_request, chance, part) in parts {
            let side: Side = if is_request { Client } else { Server };
            let is_first = sent[side as usize].is_empty() && !is_start_captured;
            if is_first && part == [0] {
                // A keep-alive probe looks the same.
                continue;
            }
            if chance == 0 && !is_first {
                dialogue.lose(side, part.len() as u32);
                sent[side as usize].resize(sent[side as usize].len() + part.len(), b'?');
            } else {
                dialogue.say_in(side, &part, 60);
                sent[side as usize].extend(part);
            }
        }
        if is_closed {
            dialogue.close();
        } else {
            // Nothing shows that bytes at the end are missing.
            dialogue.say(Client, b"!").say(Server, b"!");
            sent.iter_mut().for_each(|sent| sent.push(b'!'));
        }
        let file = plain_pcap(&dialogue.segments);
        let reports = captured::explain("", &file, Context::default()).reports;
        if reports.is_empty() {
            // A connection without HTTP is not listed.
            return Ok(());
        }
        // Without its first packets, the side with requests is the client.
        let ends = reports.iter().find_map(|report| report.connection.as_deref());
        if ends.is_some_and(|ends| ends.starts_with("10.0.0.2:")) {
            sent.reverse();
        }
        for (direction, sent) in [(Direction::Request, &sent[0]), (Direction::Response, &sent[1])] {
            let of: Vec<_> =
                reports.iter().filter(|it| it.direction == Some(direction)).collect();
            check(&of, sent)?;
        }
    }
}
