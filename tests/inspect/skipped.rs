//! Captured packets that are not explained are counted by reason.

use crate::support::capture::{
    Captured, Dialogue, EPOCH, FORMAT, Link, Side, captured, pcap, plain_pcap,
};
use crate::support::inspector::inspect;

/// Returns the exit status and what the inspector writes to standard error.
fn errors(file: &[u8]) -> (Option<i32>, String) {
    let output = inspect("vectors", &["--json", "-"], file);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.stdout.is_empty(), "no message");
    (output.status.code(), errors)
}

fn packet(data: &[u8]) -> Captured {
    Captured { time: EPOCH, data: data.to_vec(), length: data.len() }
}

#[test]
fn a_capture_with_an_unsupported_link_type_fails_and_names_it() {
    let segments = Dialogue::opened(50000, [1, 2]).segments;
    for (number, name) in [(147, "147 (user0)"), (162, "162 (user15)"), (300, "300")] {
        let mut file = plain_pcap(&segments);
        file[20..22].copy_from_slice(&u16::to_le_bytes(number));
        let expected = format!(
            "inspect: -: no TCP segment: 3 packets of link type {name}, which is not supported\n"
        );
        assert_eq!(errors(&file), (Some(1), expected));
    }
}

#[test]
fn a_capture_without_a_message_fails_and_says_why() {
    let of = |file: &[u8], why: &str| {
        assert_eq!(errors(file), (Some(1), format!("inspect: -: {why}\n")));
    };
    of(&pcap(FORMAT, Link::Ethernet, &[]), "no TCP segment: the capture has no packet");
    let mut dialogue = Dialogue::opened(50000, [1, 2]);
    of(&plain_pcap(&dialogue.segments), "no HTTP message: 3 TCP segments without data");
    dialogue.say(Side::Client, b"SSH-2.0-OpenSSH_9.2\r\n");
    let mut packets = captured(&dialogue.segments, Link::Ethernet);
    packets.push(packet(&[0; 13]));
    let why = "no HTTP message: 1 connection without HTTP; \
        1 packet whose Ethernet header was not completely captured";
    of(&pcap(FORMAT, Link::Ethernet, &packets), why);
}
