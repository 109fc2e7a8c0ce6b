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

#[test]
fn the_title_of_a_page_names_its_file() {
    // A page is also written for a file that cannot be read.
    for (path, name) in
        [("pairs/download-head.http", "download-head.http"), ("a\\b", "b"), ("a/", "a/")]
    {
        let title = format!("<title>BITS traffic in {name}</title>");
        assert!(page_of(path).contains(&title), "{title}");
    }
}

#[test]
fn a_summary_emphasizes_the_first_value_of_each_line() {
    let page = page_of("upload.http");
    assert!(page.contains("<div class=\"short\"><dt>conversations</dt><dd><b>1</b></dd></div>"));
    let messages =
        "<div class=\"long\"><dt>messages</dt><dd><b>5 requests</b>5 responses</dd></div>";
    assert!(page.contains(messages), "{page}");
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
    assert!(page.contains("<p class=\"note\">Sections are those of [MC-BUP]"), "{page}");
    assert!(page.contains("<span class=\"chip must\">2 violations</span>"));
    assert!(page.contains("2 messages, 2 violations</p>"), "{page}");
    assert_eq!(page.matches("<li class=\"message bad\">").count(), 2);
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
fn a_message_that_violates_a_rule_twice_is_listed_once() {
    let request = "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Cancel-Session\r\nBITS-Session-Id: a\r\n\
        BITS-Session-Id: b\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
    let page = page(request.as_bytes());
    let [row] = violations(&page)[..] else { panic!("one rule: {page}") };
    assert!(row.contains("<code>conflicting-field</code>"), "{row}");
    assert!(page.contains("<code>error.section</code></th><td><bdi>2.2.1.2</bdi></td>"), "{page}");
    assert!(
        row.contains("<td class=\"number\">2</td><td><a href=\"#f0-m0\">#0</a> </td>"),
        "{row}"
    );
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
    assert!(page.contains("<h3><bdi>Messages without a conversation</bdi></h3>"), "{page}");
    let remark = "<ul class=\"remarks\"><li><bdi>deviation missing-packet-type: Response without";
    assert!(page.contains(remark) && !page.contains("and 0 more"), "{page}");
    assert!(page.contains("<span class=\"no\">#0</span>"));
    assert!(page.contains("<span class=\"chip deviates\">deviates</span></span></summary>"));
    let page = inspector::page(&with_violations(1));
    assert_eq!(label(&page).matches("unexpected-field").count(), 1, "{}", label(&page));
}

#[test]
fn the_name_of_a_message_is_shortened() {
    let page = page(format!("{} /e HTTP/1.1\r\n\r\n", "M".repeat(200)).as_bytes());
    let name = format!("<b>{}…{}</b>", "M".repeat(15), "M".repeat(16));
    assert!(label(&page).contains(&name), "{}", label(&page));
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
    assert!(page.contains("<div class=\"ladder two timed\">"));
    assert!(page.contains("<p class=\"note\">Times are seconds after "));
    let times = page.match_indices("<span class=\"time\">+").map(|(at, _)| &page[at + 19..at + 25]);
    assert_eq!(times.collect::<Vec<_>>(), ["+0.000", "+0.001"]);
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
    let page = page_of("notify-by-value.http");
    assert!(page.contains(": notification to /app/handler.aspx</bdi>"));
    assert!(page.contains("<div class=\"ladder three untimed\">"));
    assert!(page.contains("<i class=\"application\"></i>"));
    let long = format!("/first/{}/last", "middle/".repeat(40));
    let request = String::from_utf8(ping()).expect("UTF-8").replace("/e", &long);
    let page = inspector::page(request.as_bytes());
    assert!(page.contains("<h3><bdi>Conversation 0: upload to /first/…/last</bdi></h3>"), "{page}");
}

#[test]
fn few_session_ids_are_listed() {
    let note_of = |ids: &[String]| {
        let text = String::from_utf8(close()).expect("UTF-8");
        let requests = ids.iter().map(|id| text.replace("3F9C1A52", id));
        let page = page(requests.collect::<String>().as_bytes());
        let start = &page[page.find("<section class=\"conversation\"").expect("a section")..];
        start[..start.find("<div class=\"ladder").expect("a diagram")].to_owned()
    };
    let ids = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| format!("0000000{number}"));
    let note = note_of(&ids);
    assert_eq!(note.matches("<code>{0000000").count(), 5, "{note}");
    assert!(note.contains(", sessions <code>") && note.contains(" and 3 more"), "{note}");
    assert_eq!(note.matches("</code>, <code>").count(), 4, "{note}");
    assert!(!note_of(&ids[..5]).contains(" more"), "{note}");
    let long = note_of(&["n".repeat(300)]);
    assert!(long.contains("nnn…") && !long.contains(&"n".repeat(80)), "{long}");
}

#[test]
fn unreadable_bytes_stay_in_their_conversation() {
    let page = page(&[&ping()[..], &ping_ack(), b"\x00\xFF garbage"].concat());
    assert_eq!(page.matches("<section class=\"conversation\"").count(), 1, "{page}");
    assert!(page.contains(" skipped "), "{page}");
    let page = inspector::page(&[b"\x00\xFF garbage\n", &ping()[..]].concat());
    assert_eq!(page.matches("<section class=\"conversation\"").count(), 1, "{page}");
    assert!(page.contains(" skipped client-server\""), "{page}");
    let page = inspector::page(b"\x00\xFF garbage\n");
    assert!(page.contains("class=\"arrow undirected skipped client-server\""), "{page}");
    assert!(label(&page).starts_with("<span class=\"label\"><b>"), "{}", label(&page));
    assert!(!page.contains("<caption>Fields</caption>"), "{page}");
    assert!(!page.contains("<p class=\"start\">"), "{page}");
}
