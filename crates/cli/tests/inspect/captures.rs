//! The inspector with packet captures: recorded ones, and all file formats and link types.

use std::collections::BTreeMap;

use crate::support::capture::{
    Captured, Dialogue, EPOCH, FORMAT, Format, Link, Segment, Side, block, captured, dialogue_of,
    enhanced, interface, packet, pcap, plain_pcap, section, simple,
};
use crate::support::inspector::{inspect, json_lines, text, without_packets};
use crate::support::vectors;
use serde_json::Value;

pub fn explain(file: &[u8]) -> Vec<Value> {
    let output = inspect("vectors", &["--json", "-"], file);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(0), ""));
    json_lines(&output)
}

/// Returns the reports of a vector in a plain file.
fn plain(vector: &str) -> Vec<Value> {
    json_lines(&inspect("vectors", &["--json", vector], b"")).iter().map(without_packets).collect()
}

fn upload(link: Link) -> (Vec<Segment>, Vec<Captured>) {
    let messages = vectors::conversation("upload.http");
    let segments = dialogue_of(50000, [1000, 2000], &messages, 1400);
    let packets = captured(&segments, link);
    (segments, packets)
}

#[track_caller]
pub fn assert_is_upload(reports: &[Value]) {
    let found: Vec<_> = reports.iter().map(without_packets).collect();
    assert_eq!(found, plain("upload.http"));
}

#[test]
fn an_upload_that_tcpdump_captured() {
    let output = inspect("captures", &["--json", "upload.pcap"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    let reports = json_lines(&output);
    let kinds: Vec<_> = reports.iter().map(|it| (text(it, "kind"), text(it, "verdict"))).collect();
    let packet = |kind| [(kind, "ok"), ("ack", "ok")];
    let mut expected = packet("create-session").to_vec();
    (0..4).for_each(|_| expected.extend(packet("fragment")));
    expected.extend([("download", "ok"); 2]);
    expected.extend(packet("close-session"));
    assert_eq!(kinds, expected);
    let next: Vec<_> = reports.iter().filter_map(|it| it["fields"]["received"].as_u64()).collect();
    assert_eq!(next, [5000, 10000, 15000, 19200]);
    for report in &reports {
        assert_eq!(text(report, "connection"), "127.0.0.1:52778 > 127.0.0.1:41917");
        assert_eq!(report["missing"], 0);
    }
    assert_eq!(text(&reports[0], "time"), "1795516245.084212000");
}

#[test]
fn a_bad_network_that_tshark_captured() {
    let output = inspect("captures", &["--json", "faults.pcapng"], b"");
    assert_eq!(output.status.code(), Some(1), "some messages are incomplete");
    assert!(output.stderr.is_empty());
    let reports = json_lines(&output);
    let mut hops: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for report in &reports {
        let (_, server) = text(report, "connection").split_once(" > ").expect("two ends");
        hops.entry(server).or_default().push(report);
    }
    // The messages at the server's port and at the client's. README.md describes the faults.
    let of = |port: &str| {
        let words = |it: &&Value| format!("{} {}", text(it, "kind"), text(it, "verdict"));
        hops[port].iter().map(words).collect::<Vec<_>>()
    };
    let rest = "fragment ok, ack ok, fragment ok, ack ok, download ok, download ok, \
        close-session ok, ack ok";
    assert_eq!(
        of("127.0.0.1:36083").join(", "),
        "create-session ok, ack ok, other partial, fragment ok, ack ok, fragment ok, ack ok, \
         fragment ok, ack ok, fragment partial, fragment ok, ack ok, "
            .to_string()
            + rest
    );
    assert_eq!(
        of("127.0.0.1:46533").join(", "),
        "create-session ok, ack ok, fragment ok, fragment ok, ack ok, fragment ok, other partial, \
         fragment ok, ack ok, fragment ok, fragment ok, ack foreign, "
            .to_string()
            + rest
    );
    assert_eq!(hops.len(), 2);
    let times: Vec<_> = reports.iter().map(|report| text(report, "time")).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn each_connection_is_listed_once() {
    let text = |file| {
        let output = inspect("captures", &[file], b"");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let (one, many) = (text("upload.pcap"), text("faults.pcapng"));
    assert!(one.contains("\nconnection 1: 127.0.0.1:52778 > 127.0.0.1:41917\n"), "{one}");
    assert!(many.contains("\nconnection 2: 127.0.0.1:60064 > 127.0.0.1:36083\n"), "{many}");
    assert_eq!(many.matches("127.0.0.1:60064").count(), 1, "{many}");
    assert!(many.contains("\n1   +0.002  2     →  create-session "), "{many}");
}

#[test]
fn every_link_is_read() {
    for link in Link::ALL {
        let (_, packets) = upload(link);
        let reports = explain(&pcap(FORMAT, link, &packets));
        assert_is_upload(&reports);
        let ends = match link.is_ipv6() {
            true => "[fd00::1]:50000 > [fd00::2]:80",
            false => "10.0.0.1:50000 > 10.0.0.2:80",
        };
        assert!(reports.iter().all(|report| report["connection"] == ends), "{link:?}");
    }
}

#[test]
fn pcap_in_either_byte_order_and_with_either_resolution() {
    let (_, packets) = upload(Link::Ethernet);
    for (is_big_endian, is_nano) in [(false, false), (false, true), (true, false), (true, true)] {
        let file = pcap(Format { is_big_endian, is_nano }, Link::Ethernet, &packets);
        let reports = explain(&file);
        assert_is_upload(&reports);
        // The fourth packet is the first one with data.
        let time = if is_nano { "1700000000.003003003" } else { "1700000000.003003000" };
        assert_eq!(text(&reports[0], "time"), time);
    }
}

#[test]
fn pcapng_with_sections_and_interfaces_of_their_own() {
    let (segments, packets) = upload(Link::Raw);
    let middle = packets.len() / 2;
    let big = Format { is_big_endian: true, is_nano: false };
    let since = |packet: &Captured| packet.time - EPOCH;
    let mut file = section(FORMAT);
    // One interface counts nanoseconds, the other units of 2^-10 seconds with an offset.
    file.extend(interface(FORMAT, Link::Cooked2, 0x80 | 10, 1_700_000_000));
    file.extend(interface(FORMAT, Link::Raw, 9, 0));
    for (index, captured) in packets[..middle].iter().enumerate() {
        if index % 2 == 0 {
            file.extend(enhanced(FORMAT, 1, captured.time, captured));
        } else {
            let data = packet(&segments[index], Link::Cooked2);
            let ticks = (since(captured) * 1024).div_ceil(1_000_000_000);
            let captured = Captured { length: data.len(), data, ..*captured };
            file.extend(enhanced(FORMAT, 0, ticks, &captured));
        }
    }
    // Blocks that are skipped: statistics, names, and an unknown type.
    file.extend(block(FORMAT, 0x0BAD, b"whatever"));
    file.extend(section(big));
    file.extend(interface(big, Link::Ethernet, 6, 1_699_999_999));
    for (captured, segment) in packets[middle..].iter().zip(&segments[middle..]) {
        let data = packet(segment, Link::Ethernet);
        let captured = Captured { length: data.len(), data, ..*captured };
        file.extend(enhanced(big, 0, since(&captured) / 1000 + 1_000_000, &captured));
    }
    let reports = explain(&file);
    assert_is_upload(&reports);
    // The fourth packet, in ticks of 2^-10 seconds.
    assert_eq!(text(&reports[0], "time"), "1700000000.003906250");
    let last = text(reports.last().expect("reports"), "time");
    assert!(last.starts_with("1700000000.0") && last.ends_with("000"), "{last}");
}

#[test]
fn simple_packets_have_no_time() {
    let (_, packets) = upload(Link::Raw);
    let mut file = [section(FORMAT), interface(FORMAT, Link::Raw, 6, 0)].concat();
    packets.iter().for_each(|packet| file.extend(simple(FORMAT, packet)));
    let reports = explain(&file);
    assert_is_upload(&reports);
    assert!(reports.iter().all(|report| report["time"].is_null()));
}

#[test]
fn interfaces_that_write_late_are_put_in_order() {
    let (_, mut packets) = upload(Link::Ethernet);
    packets.reverse();
    assert_is_upload(&explain(&pcap(FORMAT, Link::Ethernet, &packets)));
}

#[test]
fn a_damaged_file_is_explained_up_to_the_damage() {
    let (segments, packets) = upload(Link::Ethernet);
    let file = pcap(FORMAT, Link::Ethernet, &packets);
    let whole = explain(&file);
    let of_cut = |file: &[u8], damage: &str| {
        let output = inspect("vectors", &["--json", "-"], file);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.starts_with("inspect: -: the capture ") && errors.contains(damage));
        json_lines(&output)
    };
    // A cut between two packets cannot be detected.
    let between: Vec<_> =
        (0..=segments.len()).map(|it| plain_pcap(&segments[..it]).len()).collect();
    let cuts = (4..24).chain((24..file.len()).step_by(97)).filter(|cut| !between.contains(cut));
    for cut in cuts {
        let reports = of_cut(&file[..cut], "is truncated at byte ");
        let sure = reports.iter().take_while(|report| report["verdict"] != "partial").count();
        assert_eq!(reports[..sure], whole[..sure], "cut at {cut}");
        assert!(reports.len() - sure <= 1, "cut at {cut}");
    }
    let mut pcapng = [section(FORMAT), interface(FORMAT, Link::Ethernet, 9, 0)].concat();
    pcapng.extend(packets.iter().flat_map(|it| enhanced(FORMAT, 0, it.time, it)));
    assert_is_upload(&explain(&pcapng));
    of_cut(&pcapng[..30], "is truncated at byte 28;");
    of_cut(&pcapng[..pcapng.len() - 1], "is truncated at byte ");
    of_cut(&pcapng[..7], "is truncated at byte 0;");
    // A packet of an interface that does not exist.
    let mut wrong = pcapng.clone();
    wrong.extend(enhanced(FORMAT, 1, EPOCH, &packets[0]));
    assert_is_upload(&of_cut(&wrong, &format!("is corrupt at byte {};", pcapng.len())));
}

#[test]
fn impossible_lengths_are_rejected() {
    let (_, packets) = upload(Link::Ethernet);
    let pcap = pcap(FORMAT, Link::Ethernet, &packets);
    let mut pcapng = [section(FORMAT), interface(FORMAT, Link::Ethernet, 9, 0)].concat();
    pcapng.extend(enhanced(FORMAT, 0, EPOCH, &packets[3]));
    // Of a packet, of a section, of an interface, and of a packet inside its block.
    let places = [(&pcap, 24 + 8), (&pcapng, 4), (&pcapng, 28 + 4), (&pcapng, 28 + 44 + 20)];
    for (file, at) in places {
        for length in [u32::MAX, u32::MAX - 3, u32::MAX - 4, 1 << 31, 0x00FF_FFFF, 0, 3, 13] {
            let mut file = file.clone();
            file[at..at + 4].copy_from_slice(&length.to_le_bytes());
            let output = inspect("vectors", &["--json", "-"], &file);
            let code = output.status.code().expect("an exit code");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!errors.contains("panicked"), "{errors}");
            assert!(length < 14 || code == 2, "{length:#x} at {at}: {code}, {errors}");
        }
    }
}

#[test]
fn magic_bytes_tell_a_capture_from_a_plain_file() {
    // The magic bytes of pcapng are line breaks, which are allowed before a message.
    let ping = b"\n\r\r\nBITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n";
    let output = inspect("vectors", &["--json", "-"], ping);
    assert_ne!(output.status.code(), Some(2));
    let output = inspect("vectors", &["--json", "-"], b"\n\r\r\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn skipped_packets_are_counted() {
    let (_, mut packets) = upload(Link::Ethernet);
    // The first data of the client, as an IP fragment and cut inside its TCP header.
    let data = packets[3].data.clone();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut data = data.clone();
        change(&mut data);
        Captured { time: EPOCH + 1, length: 1500, data }
    };
    packets.push(with(&|data| data[14 + 6] |= 0x20));
    packets.push(with(&|data| data.truncate(14 + 20 + 10)));
    packets.push(with(&|data| data.truncate(10)));
    let mut foreign = Dialogue::opened(50001, [5, 6]);
    foreign.say(Side::Client, b"SSH-2.0-OpenSSH_9.2\r\n");
    foreign.say(Side::Server, b"SSH-2.0-OpenSSH_9.2\r\n");
    packets.extend(captured(&foreign.segments, Link::Ethernet));
    let output = inspect("vectors", &["--json", "-"], &pcap(FORMAT, Link::Ethernet, &packets));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "all messages are valid");
    assert_is_upload(&json_lines(&output));
    let notes = [
        "skipped 1 IP fragment, which is not reassembled",
        "skipped 1 packet whose Ethernet header was not completely captured",
        "skipped 1 packet whose TCP header was not completely captured",
        "skipped 1 connection without HTTP",
    ];
    let notes = notes.map(|note| format!("inspect: -: {note}\n")).concat();
    assert_eq!(errors, notes);
}
