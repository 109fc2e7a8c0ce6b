//! The page of long captures is bounded, and says what is left out.

use crate::support::capture::{Dialogue, Side, dialogue_of, plain_pcap};
use crate::support::dialogues::{ID, INITIAL, fragment, fragment_ack, ping, ping_ack};
use crate::support::inspector::{self, inspect, page};

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
    let long = vec![b'n'; 5000];
    messages.push([b"GET /", long.as_slice(), b" HTTP/1.1\r\nRange: bytes=0-\r\n\r\n"].concat());
    messages.push([b"HTTP/1.1 404 ", long.as_slice(), b"\r\nContent-Length: 0\r\n\r\n"].concat());
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

/// Returns a fragment to a URL of its own, which is a conversation.
fn fragment_to(number: u64, range: &str) -> String {
    format!(
        "BITS_POST /{number} HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {ID}\r\n\
         Content-Range: bytes {range}\r\nContent-Length: 1\r\n\r\nx"
    )
}

#[test]
fn many_conversations_are_bounded() {
    let requests =
        (0..500).map(|number| fragment_to(number, if number == 400 { "5-4/10" } else { "0-0/1" }));
    let page = page(requests.collect::<String>().as_bytes());
    assert_eq!(page.matches("<section class=\"conversation").count(), 100);
    assert!(page.contains("400 further conversations are left out of this page."));
    assert!(page.contains("upload to /400"), "the violation is shown");
    let page_of_101 = inspector::page(
        (0..101).map(|number| fragment_to(number, "0-0/1")).collect::<String>().as_bytes(),
    );
    assert!(page_of_101.contains("1 further conversation is left out of this page."));
    let positions = [0, 50, 98, 400].map(|number| page.find(&format!("upload to /{number}<")));
    assert!(positions.is_sorted() && positions[0].is_some(), "{positions:?}");
}

#[test]
fn many_long_conversations_show_both_ends() {
    let conversations = (0..100).map(|number| {
        let request =
            String::from_utf8(ping()).expect("UTF-8").replace("/e", &format!("/{number}"));
        [request.into_bytes(), ping_ack()].concat().repeat(15)
    });
    let page = page(&conversations.collect::<Vec<_>>().concat());
    for (first, last) in [(0, 29), (2970, 2999)] {
        let is_shown = |index| page.contains(&format!("id=\"f0-m{index}\""));
        assert!(is_shown(first) && is_shown(last) && !is_shown(first + 15), "{first}");
    }
}

/// Returns a request and its response with long values of one character each.
fn with_long_values(letter: &str, bytes: usize) -> Vec<u8> {
    let value = letter.repeat(bytes / letter.len());
    let request = String::from_utf8(ping()).expect("UTF-8").replace("/e", &format!("/{value}"));
    let response = String::from_utf8(ping_ack()).expect("UTF-8").replace("OK", &value);
    [request, response].concat().into_bytes()
}

#[test]
fn the_length_of_a_page_is_bounded() {
    // A quotation mark has the longest escape sequence in HTML.
    let mut messages = with_long_values("\"", 1200).repeat(1250);
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
        let page = page(&with_long_values(letter, 9000));
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

/// Returns a session of one-byte fragments.
fn session(count: u64) -> Vec<u8> {
    let messages = (0..count).flat_map(|first| {
        [[fragment(first, 1, count), b"x".to_vec()].concat(), fragment_ack(first + 1)]
    });
    messages.collect::<Vec<_>>().concat()
}

/// Returns the page of two inputs.
fn page_of_two(contents: [Vec<u8>; 2]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["first.http", "second.http"].map(|name| folder.path().join(name));
    names.iter().zip(contents).for_each(|(name, it)| std::fs::write(name, it).expect("a file"));
    let files = names.each_ref().map(|name| name.to_str().expect("UTF-8"));
    let output = inspect("vectors", &["--html", "-", files[0], files[1]], b"");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn inputs_share_the_conversations_of_a_page() {
    let shown = |counts: [u64; 2]| {
        let requests = |count| (0..count).map(|number| fragment_to(number, "0-0/1"));
        let page = page_of_two(counts.map(|it| requests(it).collect::<String>().into_bytes()));
        ["f0", "f1"].map(|input| {
            page.matches(&format!("<section class=\"conversation\" id=\"{input}-c")).count()
        })
    };
    assert_eq!(shown([120, 120]), [50, 50]);
    assert_eq!(shown([10, 120]), [10, 90]);
}

#[test]
fn inputs_share_the_details_of_a_page() {
    let input = with_long_values("\"", 3000).repeat(500);
    let page = page_of_two([input.clone(), input]);
    let (first, second) = page.split_at(page.find("id=\"f1\"").expect("a section"));
    let [first, second] =
        [first, second].map(|it| it.matches("The details are left out of this page.").count());
    assert!((100..900).contains(&first) && first.abs_diff(second) <= 1, "{first} {second}");
}

#[test]
fn inputs_share_the_capacity_of_a_page() {
    let page = page_of_two([session(800), session(800)]);
    for input in ["f0", "f1"] {
        let marker = format!("<div class=\"more\" id=\"{input}-m");
        assert_eq!(page.matches(&marker).count(), 1000, "{input}");
    }
}

#[test]
fn short_conversations_leave_their_share_to_long_ones() {
    let with_path = |messages: Vec<u8>, path: &str| {
        let text = String::from_utf8(messages).expect("UTF-8");
        text.replace("BITS_POST /e ", &format!("BITS_POST {path} ")).into_bytes()
    };
    let shown = |counts: [u64; 2]| {
        let sessions = counts.map(session);
        let [first, second] = sessions;
        let page = page(&[first, with_path(second, "/other")].concat());
        let sections: Vec<_> = page.split("<section class=\"conversation\"").skip(1).collect();
        sections.iter().map(|it| it.matches("<li class=\"message").count()).collect::<Vec<_>>()
    };
    assert_eq!(shown([1200, 5]), [1990, 10]);
    assert_eq!(shown([600, 700]), [1000, 1000]);
}

#[test]
fn links_lead_to_messages_of_the_page() {
    // All of these messages violate a MUST, the first ones only a SHOULD.
    let name = "n".repeat(300);
    let create = format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\nContent-Name: {name}\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Length: 0\r\n\r\n"
    );
    let wrong = format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {ID}\r\n\
         Content-Range: bytes 5-4/10\r\nContent-Length: 0\r\n\r\n"
    );
    let page = page([create.repeat(3), wrong.repeat(2000)].concat().as_bytes());
    let links: Vec<_> = page.match_indices("href=\"#f0-m").map(|(at, _)| &page[at + 7..]).collect();
    assert!(!links.is_empty());
    for link in links {
        let id = link.split('"').next().expect("an id");
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(page.contains("<td>#0 #1 #2 </td>"), "the messages are named");
    assert!(page.contains("3 messages between #0 and #2 are left out of this page"));
}

#[test]
fn messages_with_problems_are_preferred() {
    let name = "n".repeat(300);
    // A SHOULD is violated, and bytes are skipped.
    let create = format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\nContent-Name: {name}\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Length: 0\r\n\r\n"
    );
    let skipped = b"\x00\xFF garbage\n".to_vec();
    let page = page(&[session(1100), create.into_bytes(), skipped, session(1100)].concat());
    for shown in [2200, 2201] {
        assert!(page.contains(&format!("id=\"f0-m{shown}\"")), "{shown}");
    }
    for left_out in [2100, 2300] {
        assert!(!page.contains(&format!("id=\"f0-m{left_out}\"")), "{left_out}");
    }
}

#[test]
fn a_single_message_can_be_left_out() {
    let mut messages = session(1000);
    messages.extend(ping());
    let page = page(&messages);
    assert!(
        page.contains(">1 message between #1990 and #1990 is left out of this page<"),
        "{page}"
    );
}

#[test]
fn the_end_of_a_connection_without_messages_in_the_page_is_left_out() {
    let mut segments = Vec::new();
    for port in 5000..5300 {
        let messages = (0..4).flat_map(|_| [ping(), ping_ack()]).collect::<Vec<_>>();
        segments.extend(dialogue_of(port, INITIAL, &messages, 500));
    }
    let page = page(&plain_pcap(&segments));
    assert_eq!(page.matches("<li class=\"message").count(), 2000);
    let closed = page.matches(" closed</span>").count();
    assert!((240..=260).contains(&closed), "{closed}");
    assert!(!page.contains("more connection"), "{page}");
}
