//! The page of long captures is bounded, and says what is left out.

use crate::support::capture::{Dialogue, Side, dialogue_of, plain_pcap};
use crate::support::dialogues::{ID, INITIAL, fragment, fragment_ack, ping, ping_ack};
use crate::support::inspector::page;

#[test]
fn long_captures_and_values_are_bounded() {
    let count = 1500;
    let mut messages = Vec::new();
    for first in 0..count {
        messages
            .extend([[fragment(first, 1, count), b"x".to_vec()].concat(), fragment_ack(first + 1)]);
    }
    // The server acknowledges a byte that was never sent.
    messages[1501] = fragment_ack(count - 1);
    let long = vec![b'n'; 20_000];
    messages.push([b"GET /", long.as_slice(), b" HTTP/1.1\r\nRange: bytes=0-\r\n\r\n"].concat());
    let page = page(&messages.concat());
    assert!(page.len() < 8_000_000, "{}", page.len());
    assert_eq!(page.matches("<li class=\"message").count(), 2000);
    assert!(page.contains(" are left out of this page"));
    assert!(page.contains("id=\"f0-m1501\""), "the violation is shown");
    assert!(
        page.contains("id=\"f0-m0\"") && page.contains("id=\"f0-m3000\""),
        "both ends are shown"
    );
    assert!(!page.contains(&"n".repeat(2000)));
}

#[test]
fn many_conversations_are_bounded() {
    let requests = (0..500).map(|number| {
        let range = if number == 400 { "bytes 5-4/10" } else { "bytes 0-0/1" };
        format!(
            "BITS_POST /{number} HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {ID}\r\n\
             Content-Range: {range}\r\nContent-Length: 1\r\n\r\nx"
        )
    });
    let page = page(requests.collect::<String>().as_bytes());
    assert_eq!(page.matches("<section class=\"conversation").count(), 100);
    assert!(page.contains("400 further conversations are left out of this page."));
    assert!(page.contains("upload to /400"), "the violation is shown");
}

/// Returns a request and its response with long values of one character each.
fn with_long_values(letter: &str) -> Vec<u8> {
    let value = letter.repeat(4000 / letter.len());
    let request = String::from_utf8(ping()).expect("UTF-8").replace("/e", &format!("/{value}"));
    let response = String::from_utf8(ping_ack()).expect("UTF-8").replace("OK", &value);
    [request, response].concat().into_bytes()
}

#[test]
fn the_length_of_a_page_is_bounded() {
    // A quotation mark has the longest escape sequence in HTML.
    let mut messages = with_long_values("\"").repeat(1250);
    // The server acknowledges a byte that was never sent.
    messages.extend([fragment(0, 20, 40), b"x".repeat(20), fragment_ack(21)].concat());
    let page = page(&messages);
    assert!(page.len() < 10 << 20, "{}", page.len());
    assert!(page.contains("further descriptions are left out of this page."));
    assert!(page.contains("The details are left out of this page."));
    let last = &page[page.find("id=\"f0-m2501\"").expect("the last message")..];
    assert!(last.contains("<td><bdi>21</bdi></td>"), "the details of a violation are kept");
}

#[test]
fn characters_without_width_are_bounded() {
    for letter in ["\u{301}", "\u{200B}"] {
        let page = page(&with_long_values(letter));
        assert!((400..8000).contains(&page.matches(letter).count()), "{}", page.len());
    }
}

#[test]
fn many_ends_of_connections_are_counted() {
    let mut segments = Vec::new();
    for port in 5000..5020 {
        let mut dialogue = dialogue_of(port, INITIAL, &[ping(), ping_ack()], 500);
        dialogue.retain(|segment| !segment.flags.contains('F'));
        segments.extend(dialogue);
    }
    for port in 5000..5020 {
        let mut reset = Dialogue::new(port, INITIAL);
        reset.push(Side::Server, "R", b"");
        segments.extend(reset.segments);
    }
    let page = page(&plain_pcap(&segments));
    assert_eq!(page.matches(" reset</span>").count(), 5, "{page}");
    assert!(page.contains("15 more connections ended"));
}
