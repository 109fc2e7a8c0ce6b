//! The page of each kind of traffic: connections, downloads, one direction, failures, and no message.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, Segment, Side, dialogue_of, plain_pcap};
use crate::support::dialogues::{
    ID, INITIAL, close, close_ack, fragment, fragment_ack, ping, ping_ack, upload,
};
use crate::support::inspector::page;

#[test]
fn connections_are_shown_where_they_begin_and_end() {
    let mut first =
        dialogue_of(5000, INITIAL, &[ping(), ping_ack(), fragment(0, 1, 2), b"x".to_vec()], 500);
    first.retain(|segment| !segment.flags.contains('F'));
    let mut reset = Dialogue::new(5000, INITIAL);
    reset.push(Side::Server, "R", b"");
    let again =
        [[fragment(0, 1, 2), b"x".to_vec()].concat(), fragment_ack(1), close(), close_ack()];
    let second = dialogue_of(5001, INITIAL, &again, 500);
    let page = page(&plain_pcap(&[first, reset.segments, second].concat()));
    let parts = [
        "connection 1: ",
        "id=\"f0-m0\"",
        "id=\"f0-m2\"",
        "connection 1 reset",
        "connection 2: ",
        "class=\"chip again\"",
        "id=\"f0-m3\"",
        "id=\"f0-m6\"",
        "connection 2 closed",
    ];
    let positions: Vec<_> =
        parts.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(page.matches(">sent again<").count(), 2, "at the message and in the legend");
    assert_eq!(page.matches("class=\"arrow right repeated client-server\"").count(), 1);
    assert_eq!(page.matches(">connection 1: ").count(), 1);
    let lane = "</span><span class=\"lane\"><span class=\"text\">connection 2 closed";
    let end = page.find(lane).expect("the end of a connection");
    assert!(page[..end].rsplit('>').next().is_some_and(|time| time.starts_with('+')), "{page}");
}

#[test]
fn a_connection_may_replace_another_one() {
    let mut segments = dialogue_of(5000, INITIAL, &[ping(), ping_ack()], 500);
    segments.retain(|segment| !segment.flags.contains('F'));
    segments.extend(dialogue_of(5000, [3_000_000, 4_000_000], &[ping(), ping_ack()], 500));
    let page = page(&plain_pcap(&segments));
    assert!(page.contains(">connection 1 replaced by another one on the same ports<"), "{page}");
    assert!(page.contains("</b><small title=\"10.0.0.2:80\">10.0.0.2:80</small>"), "{page}");
}

#[test]
fn an_input_without_messages_says_why() {
    let empty = page(b"");
    assert!(empty.contains("The input contains no HTTP message."));
    assert!(!empty.contains("Only messages with problems") && !empty.contains("<nav"), "{empty}");
    assert!(!empty.contains("<dl class=\"summary\">"), "{empty}");
    let capture = page(&plain_pcap(&[]));
    assert!(
        capture.contains("role=\"alert\">no TCP segment: the capture has no packet"),
        "{capture}"
    );
    assert!(!capture.contains("The input contains no HTTP message."), "{capture}");
}

/// Returns the segments of one side.
fn of(side: Side, segments: &[Segment]) -> Vec<Segment> {
    segments.iter().filter(|segment| segment.side == side).cloned().collect()
}

#[test]
fn each_conversation_has_a_section_and_a_line_in_the_overview() {
    let messages = [[fragment(0, 20, 20), b"x".repeat(20)].concat(), fragment_ack(20)];
    let uploads = [(5000, "/first"), (5001, "/second"), (5002, "/third")];
    let segments = uploads.map(|(port, path)| {
        let with_path = |message: &Vec<u8>| {
            let text = String::from_utf8(message.clone()).expect("UTF-8");
            text.replace("BITS_POST /e ", &format!("BITS_POST {path} ")).into_bytes()
        };
        let messages: Vec<_> = messages.iter().map(with_path).collect();
        dialogue_of(port, INITIAL, &messages, 500)
    });
    let page = page(&plain_pcap(&segments.concat()));
    assert_eq!(page.matches("<section class=\"conversation\"").count(), 3);
    assert_eq!(page.matches("<figure class=\"plot\"").count(), 3);
    for (first, (port, path)) in [0, 2, 4].into_iter().zip(uploads) {
        let link = format!("<a href=\"#f0-c{first}\">");
        let line = &page[page.find(&link).expect("a link")..];
        let line = &line[..line.find("</tr>").expect("an end")];
        let values = format!(
            "<td>10.0.0.1:{port}</td><td>10.0.0.2:80</td><td class=\"number\">2</td>\
             <td class=\"number\">no violations</td>"
        );
        assert!(line.contains(&values), "{line}");
        let section = &page[page.find(&format!("id=\"f0-c{first}\"")).expect("a section")..];
        let start = &section[..section.find("</p>").expect("an end")];
        assert!(start.contains(&format!(": upload to {path}</bdi>")), "{start}");
        assert!(start.contains("2 messages, no violations, session ") && start.contains(ID));
    }
}

#[test]
fn one_conversation_needs_no_overview() {
    let page = page(&plain_pcap(&upload(5000, INITIAL)));
    assert!(!page.contains("class=\"overview\""));
    assert!(page.contains("<p class=\"note\">No message violates a rule.</p>"));
    assert!(page.contains("class=\"chip ok\">no violations<"));
}

#[test]
fn an_aborted_upload_ends_with_a_cut_arrow_and_the_reset() {
    let mut dialogue = Dialogue::opened(5000, INITIAL);
    dialogue.say(Client, &fragment(0, 20, 40)).say(Client, &[b'x'; 20]);
    dialogue.say(Server, &fragment_ack(20));
    dialogue.say(Client, &fragment(20, 20, 40)).say(Client, &[b'x'; 5]);
    dialogue.push(Client, "R", b"");
    let page = page(&plain_pcap(&dialogue.segments));
    assert!(page.contains("class=\"arrow right cut client-server\""), "{page}");
    assert!(page.contains("<li class=\"message bad\">"));
    assert!(page.contains(">connection 1 reset<"));
    assert!(page.contains("<dt>sessions</dt>") && page.contains("1 still open"));
}

#[test]
fn one_direction_has_arrows_of_one_direction() {
    let requests = page(&plain_pcap(&of(Client, &upload(5000, INITIAL))));
    assert!(requests.contains("class=\"arrow right whole client-server\""));
    assert!(!requests.contains("arrow left"));
    assert!(requests.contains("the responses were not captured"));
    assert!(requests.contains("<figure class=\"plot\""), "fragments are plotted");
    assert!(!requests.contains("acknowledged by the server"));
    let responses = page(&plain_pcap(&of(Server, &upload(5000, INITIAL))));
    assert!(responses.contains("arrow left") && !responses.contains("arrow right"));
    assert!(!responses.contains("<figure class=\"plot\""));
}

#[test]
fn a_download_is_named_and_plotted() {
    let messages = [
        b"GET /f HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n".to_vec(),
        b"HTTP/1.1 206 Partial Content\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
          Content-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\nabcd"
            .to_vec(),
    ];
    let page = page(&plain_pcap(&dialogue_of(5000, INITIAL, &messages, 500)));
    assert!(page.contains(">Conversation 0: download of /f<"), "{page}");
    assert!(page.contains(">bytes of responses<") && page.contains("<svg "));
    assert!(!page.contains("acknowledged by the server"));
}

#[test]
fn addresses_are_combined() {
    let of = |ports: &[u16]| {
        let messages = [ping(), ping_ack()];
        let dialogues = ports.iter().map(|port| dialogue_of(*port, INITIAL, &messages, 500));
        page(&plain_pcap(&dialogues.collect::<Vec<_>>().concat()))
    };
    let one = of(&[5000]);
    assert!(one.contains("</b><small title=\"10.0.0.1:5000\">10.0.0.1:5000</small>"), "{one}");
    let two = of(&[5000, 5001]);
    assert!(two.contains("</b><small title=\"10.0.0.1\">10.0.0.1</small>"), "{two}");
    assert!(two.contains("</b><small title=\"10.0.0.2:80\">10.0.0.2:80</small>"), "{two}");
    let without = page(&ping());
    assert!(without.contains("<b>client</b></span>"), "{without}");
}

#[test]
fn an_axis_without_times_has_the_numbers_of_messages() {
    let page = page(&[fragment(0, 20, 20), b"x".repeat(20), fragment_ack(20)].concat());
    assert!(page.contains("number of the message"));
    let svg = &page[page.find("<svg").expect("a plot")..page.find("</svg>").expect("its end")];
    assert!(svg.contains("\n#0\n") && svg.contains("\n#1\n") && !svg.contains("#0."), "{svg}");
}
