//! Formats that the inspector does not read are named, with the command that converts them.

use crate::support::inspector::inspect;

/// Returns what the inspector says about a file that it cannot read.
fn advice(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("a file");
    let output = inspect(folder.path().to_str().expect("UTF-8"), &["--json", name], b"");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{errors}");
    let start = format!("inspect: {name}: ");
    errors.strip_prefix(&start).and_then(|it| it.strip_suffix('\n')).expect("one line").to_owned()
}

/// The beginning of an event trace: the header of a buffer, and of its first event.
fn event_trace(version: u8, bits: u8) -> Vec<u8> {
    let mut trace = vec![0; 4096];
    trace[1] = 0x10;
    trace[0x48..0x4C].copy_from_slice(&[version, 0, bits, 0xC0]);
    trace
}

#[test]
fn captures_are_named_with_the_command_that_converts_them() {
    let formats: [(&str, &[u8]); 20] = [
        ("a Microsoft Network Monitor 2 capture", b"GMBU\0\x02\x01\0"),
        ("a Microsoft Network Monitor 1 capture", b"RTSS\x01\x01\x01\0"),
        ("a snoop capture", b"snoop\0\0\0\0\0\0\x02\0\0\0\x04"),
        ("a modified pcap capture in big-endian order", &[0xA1, 0xB2, 0xCD, 0x34, 0, 2, 0, 4]),
        ("an IXIA capture", &[0x1C, 0x00, 0x01, 0xAC, 1, 0, 0, 0]),
        ("an IXIA capture", &[0xAC, 0x01, 0x00, 0x1C, 1, 0, 0, 0]),
        ("an IXIA capture", &[0x1C, 0x00, 0x01, 0xAB, 1, 0, 0, 0]),
        ("an IXIA capture", &[0xAB, 0x01, 0x00, 0x1C, 1, 0, 0, 0]),
        (
            "a K12 text capture",
            b"+---------+---------------+----------+\r\n19:42:42,021,000   ETHER",
        ),
        ("a K12 capture", &[0x00, 0x00, 0x02, 0x00, 0x12, 0x05, 0x00, 0x10]),
        ("a Bluetooth snoop capture", b"btsnoop\0\0\0\0\x01"),
        ("an AIX iptrace capture", b"iptrace 2.0\0"),
        ("an HP-UX nettl capture", &[0x54, 0x52, 0x00, 0x64, 0x00, 0]),
        ("a Sniffer capture", b"TRSNIFF data    \x1A\x01\0"),
        ("a NetXRay or Windows Sniffer capture", b"XCP\x00002.001\0"),
        ("a Network Instruments Observer capture", b"ObserverPktBufferVersion=15.00\0"),
        ("an OmniPeek capture", b"\x7Fver\0\0\0\x5C"),
        ("a Visual Networks capture", b"\x05VNF\x26\0\0\0"),
        ("a 5View capture", &[0xAA, 0xAA, 0xAA, 0xAA, 0x20, 0, 0, 0]),
        ("a LANalyzer capture", b"\x01\x10\x4C\0\x01\x05Trace Display Trace File\0"),
    ];
    for (name, bytes) in formats {
        let expected =
            format!("{name} cannot be read; first run: editcap -F pcapng in.cap in.pcapng");
        assert_eq!(advice("in.cap", bytes), expected);
    }
}

#[test]
fn event_traces_of_windows_are_recognized_by_their_first_event() {
    for (version, bits) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let expected = "a Windows event trace (ETL) cannot be read; first run: \
            etl2pcapng trace.etl trace.pcapng \
            (for a trace of pktmon: pktmon etl2pcap trace.etl --out trace.pcapng)";
        assert_eq!(advice("trace.etl", &event_trace(version, bits)), expected);
    }
    let differing = |at: usize, value: u8| {
        let mut trace = event_trace(2, 2);
        trace[at] = value;
        inspect("vectors", &["--json", "-"], &trace)
    };
    // The size of the buffer, the parts of the marker, and the type of the event.
    for (at, value) in [(0, 1), (1, 0), (0x48, 3), (0x49, 1), (0x4A, 3), (0x4B, 0x80), (0x4E, 1)] {
        let output = differing(at, value);
        assert_eq!(output.status.code(), Some(1), "{at:#x}");
        assert!(output.stderr.is_empty(), "{at:#x}");
    }
}

#[test]
fn archives_and_other_compressed_data_are_named_with_their_programs() {
    let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
    let formats: [(&str, &[u8], &str); 9] = [
        ("a ZIP archive", b"PK\x03\x04\x14\0", "unzip in.cap"),
        ("a 7z archive", b"7z\xBC\xAF\x27\x1C\0\x04", "7z x in.cap"),
        ("a cabinet archive", b"MSCF\0\0\0\0", "cabextract in.cap"),
        ("a tar archive", &tar, "tar -xf in.cap"),
        ("xz data", b"\xFD7zXZ\0\0\x04", "unxz in.cap"),
        ("bzip2 data", b"BZh91AY&SY", "bunzip2 in.cap"),
        ("lz4 data", &[0x04, 0x22, 0x4D, 0x18, 0x64], "unlz4 in.cap"),
        ("compress data", &[0x1F, 0x9D, 0x90], "uncompress in.cap"),
        ("repeatedly compressed gzip data", &TWICE, "gunzip in.cap"),
    ];
    for (name, bytes, command) in formats {
        let expected = format!("{name} cannot be read; first run: {command}");
        assert_eq!(advice("in.cap", bytes), expected);
    }
}

/// A gzip file with a stored block of the magic number of gzip.
const TWICE: [u8; 26] = [
    0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, // header
    1, 3, 0, 0xFC, 0xFF, 0x1F, 0x8B, 8, // last block, stored, of 3 bytes
    0xED, 0xF4, 0x97, 0x3E, 3, 0, 0, 0, // checksum and length
];

#[test]
fn names_of_files_are_quoted_for_a_shell() {
    let command = |name: &str| {
        let advice = advice(name, b"GMBU");
        advice.split_once("first run: ").expect("a command").1.to_owned()
    };
    assert_eq!(command("it's a.cap"), r"editcap -F pcapng 'it'\''s a.cap' 'it'\''s a.pcapng'");
    assert_eq!(command("trace"), "editcap -F pcapng trace trace.pcapng");
    let other = "editcap -F pcapng trace.pcapng trace.converted.pcapng";
    assert_eq!(command("trace.pcapng"), other, "the input is not overwritten");
    let output = inspect("vectors", &["-"], b"GMBU");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.ends_with("first run: editcap -F pcapng FILE FILE.pcapng\n"), "{errors}");
}
