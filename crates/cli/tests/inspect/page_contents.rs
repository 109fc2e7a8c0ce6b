//! The texts of a page: summary, violated rules, and details.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use crate::support::dialogues::{INITIAL, close, ping, ping_ack};
use crate::support::inspector::{self, inspect, page};

/// Returns the page of a file below `tests/vectors`.
fn page_of(path: &str) -> String {
    let output = inspect("vectors", &["--html", "-", path], b"");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the rows of the table of violations.
fn violations(page: &str) -> Vec<&str> {
    let table = &page[page.find("<table class=\"violations\">").expect("a table")..];
    let body = &table[..table.find("</table>").expect("an end")];
    body.split("<tr>").skip(2).collect()
}

/// Returns pings with a field that is not theirs, whose responses have no packet type.
fn with_violations(count: usize) -> Vec<u8> {
    let ping = String::from_utf8(ping())
        .expect("UTF-8")
        .replace("/e HTTP/1.1", "/e HTTP/1.1\r\nBITS-Host-Id: a");
    format!("{ping}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").repeat(count).into_bytes()
}

#[test]
fn violations_are_listed_by_rule_and_party() {
    let page = page(&with_violations(1));
    let [server, client] = violations(&page)[..] else { panic!("two rules: {page}") };
    assert!(
        server.contains("chip must\">MUST<") && server.contains("<td class=\"server\">server</td>")
    );
    assert!(server.contains("<code>not-an-ack</code><small><bdi>2xx response without"), "{server}");
    assert!(server.contains("<td>2.2.1.2</td><td class=\"number\">1</td>"), "{server}");
    assert!(server.contains("<a href=\"#f0-m1\">#1</a>"), "{server}");
    assert!(
        client.contains("chip suspicious\">")
            && client.contains("<td class=\"client\">client</td>")
    );
    assert!(client.contains("<code>unexpected-field</code>"), "{client}");
    assert!(page.contains("<span class=\"chip must\">2 violations</span>"));
    assert!(page.contains("2 messages, 2 violations</p>"), "{page}");
}

#[test]
fn a_rule_has_its_count_and_its_first_messages() {
    let page = page(&with_violations(30));
    for row in violations(&page) {
        assert!(row.contains("<td class=\"number\">30</td>"), "{row}");
        assert_eq!(row.matches("<a href=\"#f0-m").count(), 20, "{row}");
        assert!(row.ends_with("…</td></tr>") || row.contains("…</td></tr></tbody>"), "{row}");
    }
}

#[test]
fn severities_have_their_colours() {
    let name = "n".repeat(300);
    let request = format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\nContent-Name: {name}\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Length: 0\r\n\r\n"
    );
    let page = page(request.as_bytes());
    assert!(page.contains("<span class=\"chip should\">1 violation</span>"));
    assert!(page.contains("<span class=\"chip should\">SHOULD long-content-name</span>"));
    assert!(!page.contains("chip must"), "{page}");
}

/// Returns the text at the first arrow.
fn label(page: &str) -> &str {
    let label = &page[page.find("<span class=\"label\">").expect("an arrow")..];
    &label[..label.find("<i class=\"line\"").expect("a line")]
}

#[test]
fn an_arrow_names_deviations_that_are_not_violations() {
    let page = page_of("rules/no-packet-type-404.http");
    assert!(label(&page).contains(">deviation missing-packet-type</span>"), "{page}");
    let page = inspector::page(&with_violations(1));
    assert_eq!(label(&page).matches("unexpected-field").count(), 1, "{}", label(&page));
}

#[test]
fn an_arrow_names_few_rules() {
    let request = "BITS_POST /e HTTP/1.0\r\nBITS-Packet-Type: Create-Session\r\nBITS-Host-Id: a\r\n\
        BITS-Supported-Protocols: 7df0354d-249b-430f-820d-3d2a9bef4931\r\n\
        BITS-Supported-Protocols: {x}\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n";
    let page = page(request.as_bytes());
    assert_eq!(label(&page).matches("<span class=\"chip ").count(), 4, "{}", label(&page));
    assert!(label(&page).contains("<span class=\"chip\">and 2 more</span>"), "{}", label(&page));
}

#[test]
fn details_have_the_start_line_and_the_time() {
    let mut dialogue = Dialogue::opened(5000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    let page = page(&plain_pcap(&dialogue.segments));
    assert!(page.contains("<p class=\"start\"><code><bdi>BITS_POST /e</bdi></code></p>"), "{page}");
    assert!(page.contains("<p class=\"start\"><code><bdi>200 OK</bdi></code></p>"));
    assert_eq!(page.matches("Head complete at ").count(), 2);
    assert!(page.contains("<p class=\"note\">Times are seconds after "));
    assert!(page.contains("<span class=\"time\">+0.000</span>"));
}

#[test]
fn notes_about_a_capture_are_shown() {
    let mut dialogue = Dialogue::opened(5000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    let mut other = Dialogue::opened(5001, INITIAL);
    other.say(Client, b"\x16\x03\x01\x00\x05hello").say(Server, b"\x16\x03\x01\x00\x05hello");
    let capture = plain_pcap(&[dialogue.segments, other.segments].concat());
    let output = inspect("vectors", &["-"], &capture);
    let note = String::from_utf8(output.stderr).expect("UTF-8");
    let note = note.trim_end().trim_start_matches("inspect: -: ");
    assert!(!note.is_empty(), "a note is expected");
    let start: String = note.chars().take(20).collect();
    assert!(page(&capture).contains(&format!("<p class=\"note\">{start}")), "{note}");
}

#[test]
fn titles_say_what_a_conversation_is_for() {
    assert!(page_of("notify-by-value.http").contains(": notification to /app/handler.aspx</bdi>"));
    let long = format!("/first/{}/last", "middle/".repeat(40));
    let request = String::from_utf8(ping()).expect("UTF-8").replace("/e", &long);
    let page = page(request.as_bytes());
    assert!(page.contains("<h3><bdi>Conversation 0: upload to /first/…/last</bdi></h3>"), "{page}");
}

#[test]
fn few_session_ids_are_listed() {
    let requests = (0..8).map(|number| {
        let text = String::from_utf8(close()).expect("UTF-8");
        text.replace("{3F9C1A52", &format!("{{0000000{number}"))
    });
    let page = page(requests.collect::<String>().as_bytes());
    let start = &page[page.find("<section class=\"conversation\"").expect("a section")..];
    let note = &start[..start.find("<div class=\"ladder").expect("a diagram")];
    assert_eq!(note.matches("<code>{0000000").count(), 5, "{note}");
    assert!(note.contains(", sessions <code>") && note.contains(" and 3 more"), "{note}");
}

#[test]
fn unreadable_bytes_stay_in_their_conversation() {
    let page = page(&[&ping()[..], &ping_ack(), b"\x00\xFF garbage"].concat());
    assert_eq!(page.matches("<section class=\"conversation\"").count(), 1, "{page}");
    assert!(page.contains("class=\"arrow undirected") || page.contains(" skipped "), "{page}");
    let page = inspector::page(&[b"\x00\xFF garbage\n", &ping()[..]].concat());
    assert_eq!(page.matches("<section class=\"conversation\"").count(), 1, "{page}");
    assert!(page.contains(" skipped client-server\""), "{page}");
}
