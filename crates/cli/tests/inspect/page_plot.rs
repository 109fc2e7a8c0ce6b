//! The marks in the plots of a page, as coordinates in SVG.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{
    Dialogue, FORMAT, Format, Link, captured, dialogue_of, pcap, plain_pcap,
};
use crate::support::dialogues::{INITIAL, fragment, fragment_ack, ping, ping_ack};
use crate::support::inspector::{inspect, page};

const SENT: &str = "#2F7FE6";
const REPEATED: &str = "#D9821B";
const ACKNOWLEDGED: &str = "#1A9357";
const VIOLATION: &str = "#D6332C";

/// The first plot of a page.
struct Plot {
    svg: String,
}

impl Plot {
    fn of(page: &str) -> Self {
        let svg = &page[page.find("<svg").expect("a plot")..];
        let svg = svg[..svg.find("</svg>").expect("an end")].to_owned();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let is_short = |line: &str| line != "-0" && (!line.ends_with('B') || line.len() < 10);
        assert!(svg.lines().all(is_short), "{svg}");
        Self { svg }
    }

    /// Returns the points of the lines of a colour.
    fn lines(&self, colour: &str) -> Vec<Vec<(i32, i32)>> {
        let marker = format!("stroke=\"{colour}\"");
        let lines = self.svg.lines().filter(|line| line.starts_with("<polyline"));
        lines.filter(|line| line.contains(&marker)).map(points).collect()
    }

    /// Returns the middles of the dots of a colour.
    fn dots(&self, colour: &str) -> Vec<(i32, i32)> {
        let marker = format!("fill=\"{colour}\"");
        let dots = self.svg.lines().filter(|line| line.starts_with("<circle"));
        let middle = |line| (number(line, "cx"), number(line, "cy"));
        dots.filter(|line| line.contains(&marker)).map(middle).collect()
    }

    fn has_text(&self, text: &str) -> bool {
        self.svg.lines().any(|line| line == text)
    }
}

fn points(line: &str) -> Vec<(i32, i32)> {
    let start = line.find("points=\"").expect("points") + 8;
    let text = line[start..].split('"').next().expect("an end");
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').expect("a pair");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    };
    text.split_whitespace().map(point).collect()
}

/// Returns the value of an attribute.
fn number(line: &str, attribute: &str) -> i32 {
    let start = format!("{attribute}=\"");
    let at = line.find(&start).expect("an attribute") + start.len();
    line[at..].split('"').next().expect("an end").parse().expect("a number")
}

/// Asserts that points are inside of the axes.
fn assert_inside<'p>(points: impl IntoIterator<Item = &'p (i32, i32)>) {
    for (x, y) in points {
        assert!((87..=883).contains(x) && (9..=173).contains(y), "{x},{y}");
    }
}

/// Returns a fragment with its bytes.
fn sent(first: u64, length: u64, total: u64) -> Vec<u8> {
    [fragment(first, length, total), vec![b'x'; length as usize]].concat()
}

#[test]
fn fragments_are_adjacent_and_responses_are_steps() {
    let messages: Vec<_> =
        (0..4).flat_map(|n| [sent(n * 20, 20, 80), fragment_ack(n * 20 + 20)]).collect();
    let page = page(&plain_pcap(&dialogue_of(5000, INITIAL, &messages, 500)));
    assert!(
        !page.contains("<span class=\"key repeated")
            && !page.contains("<span class=\"key violation")
    );
    assert!(page.contains("<span class=\"key acknowledged"));
    let plot = Plot::of(&page);
    let fragments = plot.lines(SENT);
    assert_eq!(fragments.len(), 4);
    assert_inside(fragments.iter().flatten());
    for pair in fragments.windows(2) {
        assert!(pair[0][0].0 < pair[1][0].0, "{fragments:?}");
        assert_eq!(pair[0][1].1, pair[1][0].1, "the end of one is the start of the next");
    }
    let steps = &plot.lines(ACKNOWLEDGED)[..];
    assert_eq!((steps.len(), steps[0].len()), (1, 7), "{steps:?}");
    assert!(steps[0].windows(2).all(|it| it[0].0 == it[1].0 || it[0].1 == it[1].1), "{steps:?}");
    assert_eq!(steps[0][6].1, fragments[3][1].1, "all bytes are acknowledged");
    assert_eq!(plot.dots(ACKNOWLEDGED).len(), 4);
    assert!(plot.has_text("80 B") && plot.has_text("seconds after the first message"));
}

#[test]
fn repeated_fragments_have_their_own_colour() {
    let mut dialogue = Dialogue::opened(5000, INITIAL);
    dialogue.say(Client, &sent(0, 20, 40)).say(Server, &fragment_ack(20));
    dialogue.say(Client, &sent(0, 20, 40));
    let plot = Plot::of(&page(&plain_pcap(&dialogue.segments)));
    assert_eq!((plot.lines(SENT).len(), plot.lines(REPEATED).len()), (1, 1));
    assert_inside(&plot.lines(REPEATED)[0]);
}

#[test]
fn messages_with_violations_are_lines_inside_the_plot() {
    // The last violation follows all bytes and responses.
    let with_unexpected_field = String::from_utf8(ping()).expect("UTF-8");
    let with_unexpected_field =
        with_unexpected_field.replace("/e HTTP/1.1", "/e HTTP/1.1\r\nBITS-Host-Id: a");
    let page =
        page(&[&sent(0, 20, 40)[..], &fragment_ack(21), with_unexpected_field.as_bytes()].concat());
    let lines = Plot::of(&page).lines(VIOLATION);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().flatten().all(|(x, _)| (87..=883).contains(x)), "{lines:?}");
    assert!(page.contains("<span class=\"key violation\">message with a violation</span>"));
}

#[test]
fn many_marks_are_combined() {
    let count = 1400;
    let messages = (0..count).flat_map(|first| [sent(first, 1, count), fragment_ack(first + 1)]);
    let plot = Plot::of(&page(&messages.collect::<Vec<_>>().concat()));
    let fragments = plot.lines(SENT);
    assert!((200..=300).contains(&fragments.len()), "{}", fragments.len());
    for pair in fragments.windows(2) {
        assert_eq!(pair[0][1].1, pair[1][0].1, "no byte is lost");
    }
    assert!((200..=301).contains(&plot.dots(ACKNOWLEDGED).len()));
    let last = plot.lines(ACKNOWLEDGED)[0].last().expect("a point").1;
    assert_eq!(last, fragments.last().expect("a line")[1].1, "the last response is kept");
    assert!(plot.has_text("1 kB"), "{}", plot.svg);
}

#[test]
fn many_marks_of_repetitions_and_violations_are_combined() {
    let count = 700;
    let fragments = || (0..count).map(|first| sent(first, 1, count));
    // The server acknowledges a byte that was never sent.
    let wrong = (0..count).flat_map(|_| [ping(), fragment_ack(count + 1)]);
    let page = page(&fragments().chain(fragments()).chain(wrong).collect::<Vec<_>>().concat());
    let plot = Plot::of(&page);
    for colour in [REPEATED, VIOLATION] {
        let lines = plot.lines(colour).len();
        assert!((200..=301).contains(&lines), "{colour}: {lines}");
    }
}

#[test]
fn offsets_and_times_have_units() {
    let output = inspect("captures", &["--html", "-", "faults.pcapng"], b"");
    let plot = Plot::of(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert!(plot.has_text("0.14") && plot.has_text("8 kB"), "{}", plot.svg);
    assert!(plot.has_text("0.12"), "digits that are errors of rounding are left out");
    let last = u64::MAX - 1;
    let plot = Plot::of(&page(&[sent(last - 19, 20, u64::MAX), fragment_ack(last)].concat()));
    assert!(plot.has_text("15 EB"), "{}", plot.svg);
}

#[test]
fn times_that_hardly_differ_have_few_labels() {
    // Far after the first message, `f64` has no value between these times in seconds.
    let [mut time, later] = [4_263_806_125_724_995_584, 4_263_806_125_724_996_064];
    let first = dialogue_of(5000, INITIAL, &[ping(), ping_ack()], 500);
    let second = dialogue_of(5001, INITIAL, &[sent(0, 1, 2), fragment_ack(1)], 500);
    let mut packets = captured(&first, Link::Ethernet);
    packets.iter_mut().for_each(|packet| packet.time = 0);
    for mut packet in captured(&second, Link::Ethernet) {
        if packet.data.windows(12).any(|it| it == b"HTTP/1.1 200") {
            time = later;
        }
        packet.time = time;
        packets.push(packet);
    }
    let format = Format { is_nano: true, ..FORMAT };
    let page = page(&pcap(format, Link::Ethernet, &packets));
    assert_eq!(page.matches("<figure class=\"plot\"").count(), 1);
    assert!(page.matches("<polyline").count() < 100, "{} bytes", page.len());
}

#[test]
fn an_offset_to_which_the_server_moves_the_client_is_a_step() {
    let output = inspect("vectors/pairs", &["--html", "-", "resynchronise-at-total.http"], b"");
    let plot = Plot::of(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(plot.dots(ACKNOWLEDGED).len(), 1);
    assert_inside(&plot.dots(ACKNOWLEDGED));
}

#[test]
fn a_download_is_plotted_as_far_as_it_was_sent() {
    let messages = |length: usize| {
        let head = "HTTP/1.1 206 Partial Content\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Content-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\n";
        [
            b"GET /f HTTP/1.1\r\nRange: bytes=0-99\r\n\r\n".to_vec(),
            [head.as_bytes(), &vec![b'x'; length]].concat(),
        ]
    };
    let plot = |length| {
        let segments = dialogue_of(5000, INITIAL, &messages(length), 500);
        Plot::of(&page(&plain_pcap(&segments)))
    };
    assert_eq!(plot(100).lines(SENT).len(), 1);
    assert!(plot(100).has_text("100 B"));
    let part = plot(50);
    assert!(part.has_text("50 B") && !part.has_text("100 B"), "{}", part.svg);
    // A response to HEAD delivers nothing.
    let output = inspect("vectors/pairs", &["--html", "-", "download-head.http"], b"");
    assert!(!String::from_utf8(output.stdout).expect("UTF-8").contains("<svg"));
}
