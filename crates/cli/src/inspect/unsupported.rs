//! Recognizes formats that are not supported, and knows the commands that convert them.

use std::path::Path;

/// A format with the command that makes a supported one of it.
struct Format {
    name: &'static str,
    /// Offset and value of a magic number.
    magic: (usize, &'static [u8]),
    /// `{in}` and `{out}` are replaced by the names of files.
    command: &'static str,
}

const EDITCAP: &str = "editcap -F pcapng {in} {out}";

const fn capture(name: &'static str, magic: &'static [u8]) -> Format {
    Format { name, magic: (0, magic), command: EDITCAP }
}

const fn archive(name: &'static str, magic: &'static [u8], command: &'static str) -> Format {
    Format { name, magic: (0, magic), command }
}

const FORMATS: [Format; 30] = [
    capture("a Microsoft Network Monitor 2 capture", b"GMBU"),
    capture("a Microsoft Network Monitor 1 capture", b"RTSS"),
    capture("a snoop capture", b"snoop\0\0\0"),
    capture("a modified pcap capture in big-endian order", &[0xA1, 0xB2, 0xCD, 0x34]),
    capture("an IXIA capture", &[0x1C, 0x00, 0x01, 0xAC]),
    capture("an IXIA capture", &[0xAC, 0x01, 0x00, 0x1C]),
    capture("an IXIA capture", &[0x1C, 0x00, 0x01, 0xAB]),
    capture("an IXIA capture", &[0xAB, 0x01, 0x00, 0x1C]),
    capture("a K12 text capture", b"+---------+---------------+----------+"),
    capture("a K12 capture", &[0x00, 0x00, 0x02, 0x00, 0x12, 0x05, 0x00, 0x10]),
    capture("a Bluetooth snoop capture", b"btsnoop\0"),
    capture("an AIX iptrace capture", b"iptrace "),
    capture("an HP-UX nettl capture", &[0x54, 0x52, 0x00, 0x64, 0x00]),
    capture("a Sniffer capture", b"TRSNIFF data    \x1A"),
    capture("a NetXRay or Windows Sniffer capture", b"XCP\0"),
    capture("a Network Instruments Observer capture", b"ObserverPktBuffe"),
    capture("an OmniPeek capture", b"\x7Fver"),
    capture("a Visual Networks capture", b"\x05VNF"),
    capture("a 5View capture", &[0xAA, 0xAA, 0xAA, 0xAA]),
    Format {
        name: "a LANalyzer capture",
        magic: (6, b"Trace Display Trace File"),
        command: EDITCAP,
    },
    archive("a ZIP archive", b"PK\x03\x04", "unzip {in}"),
    archive("a 7z archive", b"7z\xBC\xAF\x27\x1C", "7z x {in}"),
    archive("a cabinet archive", b"MSCF", "cabextract {in}"),
    Format { name: "a tar archive", magic: (257, b"ustar"), command: "tar -xf {in}" },
    archive("xz data", b"\xFD7zXZ\0", "unxz {in}"),
    archive("bzip2 data", b"BZh", "bunzip2 {in}"),
    archive("lz4 data", &[0x04, 0x22, 0x4D, 0x18], "unlz4 {in}"),
    archive("compress data", &[0x1F, 0x9D], "uncompress {in}"),
    // These are decompressed once only.
    archive("repeatedly compressed gzip data", &[0x1F, 0x8B, 8], "gunzip {in}"),
    archive("repeatedly compressed zstd data", &[0x28, 0xB5, 0x2F, 0xFD], "unzstd {in}"),
];

/// Event traces of Windows. `pktmon` is a part of Windows, and the only program for its own traces.
const ETL: Format = Format {
    name: "a Windows event trace (ETL)",
    magic: (0, b""),
    command: "etl2pcapng {in} {out} (for a trace of pktmon: pktmon etl2pcap {in} --out {out})",
};

/// Returns a sentence about a file that cannot be read, with the command that converts it.
pub fn advice(file: &str, bytes: &[u8]) -> Option<String> {
    let is = |format: &&Format| {
        let (at, magic) = format.magic;
        bytes.get(at..).is_some_and(|bytes| bytes.starts_with(magic))
    };
    let found = FORMATS.iter().find(is).or_else(|| is_etl(bytes).then_some(&ETL))?;
    let (from, to) = match file {
        "-" => ("FILE".to_owned(), "FILE.pcapng".to_owned()),
        _ => (quoted(file), quoted(&converted(file))),
    };
    let command = found.command.replace("{in}", &from).replace("{out}", &to);
    Some(format!("{} cannot be read; first run: {command}", found.name))
}

/// Returns the name of the converted file, which differs from that of the input.
fn converted(file: &str) -> String {
    let with_extension = |extension| Path::new(file).with_extension(extension);
    let name = with_extension("pcapng");
    let name = if name == Path::new(file) { with_extension("converted.pcapng") } else { name };
    name.to_string_lossy().into_owned()
}

/// Returns whether the bytes are an event trace of Windows. These start with a buffer header of 72
/// bytes without a magic number; its first field is the size of the buffer. The header of the first
/// event has a fixed marker: a version, the type "system" with 32 or 64 bits, and flags. Its event type
/// is 0.
fn is_etl(bytes: &[u8]) -> bool {
    const BUFFER_HEADER: usize = 0x48;
    let size = bytes.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    let is_first_event = matches!(
        bytes.get(BUFFER_HEADER..).and_then(<[u8]>::first_chunk),
        Some([1 | 2, 0, 1 | 2, 0xC0, _, _, 0, 0])
    );
    is_first_event && size as usize > BUFFER_HEADER && size % 1024 == 0
}

/// Quotes the name of a file for a shell, if necessary.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+=:,@%".contains(c);
    match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}
