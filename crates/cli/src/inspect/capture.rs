//! Packet captures in pcap and pcapng format.

use pcap_parser::nom;
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{
    Block, EnhancedPacketBlock, InterfaceDescriptionBlock, LegacyPcapBlock, OptionCode, PcapError,
    PcapHeader, SimplePacketBlock, parse_block_be, parse_block_le, parse_pcap_frame,
    parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header, parse_sectionheaderblock,
};

use crate::inspect::source::Time;

const NANOSECONDS: i128 = 1_000_000_000;

/// A captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'b> {
    pub time: Option<Time>,
    /// Number of the link type, which determines the header at the beginning of `data`.
    pub link: i32,
    pub data: &'b [u8],
    /// Number of bytes that were sent and not captured.
    pub cut: usize,
}

/// The readable part of a capture.
#[derive(Debug, Default)]
pub struct Capture<'b> {
    /// Packets in the order in which they were captured.
    pub packets: Vec<Packet<'b>>,
    /// Reason why the rest of the file cannot be read.
    pub damage: Option<String>,
}

/// Returns whether the bytes are a packet capture, based on their magic number.
pub fn is_capture(bytes: &[u8]) -> bool {
    const PCAP: [[u8; 4]; 5] = [
        [0xA1, 0xB2, 0xC3, 0xD4],
        [0xD4, 0xC3, 0xB2, 0xA1],
        [0xA1, 0xB2, 0x3C, 0x4D],
        [0x4D, 0x3C, 0xB2, 0xA1],
        [0x34, 0xCD, 0xB2, 0xA1],
    ];
    PCAP.iter().any(|magic| bytes.starts_with(magic)) || is_pcapng(bytes)
}

/// Returns whether the bytes are a pcapng file. Its magic number consists of line breaks, so the
/// byte order mark is checked too.
fn is_pcapng(bytes: &[u8]) -> bool {
    let starts = bytes.starts_with(&[0x0A, 0x0D, 0x0D, 0x0A]);
    starts
        && match bytes.get(8..12) {
            Some(order) => order == [0x1A, 0x2B, 0x3C, 0x4D] || order == [0x4D, 0x3C, 0x2B, 0x1A],
            None => !bytes.trim_ascii().is_empty(),
        }
}

pub fn read(bytes: &[u8]) -> Capture<'_> {
    let mut reader = Reader { bytes, ..Reader::default() };
    let end = if is_pcapng(bytes) { reader.pcapng() } else { reader.pcap() };
    let damage = end.err().map(|why| {
        let at = bytes.len() - reader.bytes.len();
        format!("the capture {why} at byte {at}; the part before it is explained")
    });
    let mut packets = reader.packets;
    // With several interfaces or processors, packets may be written out of order.
    packets.sort_by_key(|packet| packet.time);
    Capture { packets, damage }
}

#[derive(Default)]
struct Reader<'b> {
    /// The rest of the file.
    bytes: &'b [u8],
    packets: Vec<Packet<'b>>,
    is_big_endian: bool,
    /// Interfaces of the current section.
    interfaces: Vec<Interface>,
}

struct Interface {
    link: i32,
    /// Maximum number of captured bytes of a packet; 0 means no limit.
    snap_length: u32,
    resolution: u8,
    /// Seconds to add to every timestamp.
    offset: i64,
}

type ParseError<'b> = nom::Err<PcapError<&'b [u8]>>;

const TRUNCATED: &str = "is truncated";
const CORRUPT: &str = "is corrupt";

fn why(error: &ParseError<'_>) -> &'static str {
    if error.is_incomplete() { TRUNCATED } else { CORRUPT }
}

impl<'b> Reader<'b> {
    fn pcap(&mut self) -> Result<(), &'static str> {
        let (rest, header) = parse_pcap_header(self.bytes).map_err(|error| why(&error))?;
        let frame = if header.is_bigendian() {
            parse_pcap_frame_be
        } else if header.is_modified_format() {
            parse_pcap_frame_modified
        } else {
            parse_pcap_frame
        };
        self.bytes = rest;
        while !self.bytes.is_empty() {
            let (rest, block) = frame(self.bytes).map_err(|error| why(&error))?;
            self.packets.push(packet_of_frame(&block, &header));
            self.bytes = rest;
        }
        Ok(())
    }

    fn pcapng(&mut self) -> Result<(), &'static str> {
        while !self.bytes.is_empty() {
            if let Ok((_, section)) = parse_sectionheaderblock(self.bytes) {
                self.is_big_endian = section.big_endian();
                self.interfaces.clear();
            }
            let parse = if self.is_big_endian { parse_block_be } else { parse_block_le };
            let (rest, block) = parse(self.bytes).map_err(|error| match why(&error) {
                TRUNCATED if self.is_block_complete() => CORRUPT,
                why => why,
            })?;
            self.block(block)?;
            self.bytes = rest;
        }
        Ok(())
    }

    /// Returns whether the file contains the complete next block. An incomplete field inside such a
    /// block is corrupt.
    fn is_block_complete(&self) -> bool {
        let length = self.bytes.get(4..8).and_then(|it| <[u8; 4]>::try_from(it).ok());
        let read = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        length.is_some_and(|length| read(length) as usize <= self.bytes.len())
    }

    fn block(&mut self, block: Block<'b>) -> Result<(), &'static str> {
        match block {
            Block::InterfaceDescription(block) => {
                let interface = interface(&block, self.is_big_endian);
                self.interfaces.push(interface);
            }
            Block::EnhancedPacket(block) => {
                let interface = self.interfaces.get(block.if_id as usize).ok_or(CORRUPT)?;
                self.packets.push(packet_of_enhanced(&block, interface));
            }
            Block::SimplePacket(block) => {
                let interface = self.interfaces.first().ok_or(CORRUPT)?;
                let time = self.packets.last().and_then(|packet| packet.time);
                self.packets.push(packet_of_simple(&block, interface, time));
            }
            _ => {}
        }
        Ok(())
    }
}

fn packet_of_frame<'b>(block: &LegacyPcapBlock<'b>, header: &PcapHeader) -> Packet<'b> {
    let fraction = i128::from(block.ts_usec);
    let fraction = if header.is_nanosecond_precision() { fraction } else { fraction * 1000 };
    Packet {
        time: Some(Time(i128::from(block.ts_sec) * NANOSECONDS + fraction)),
        // The upper half may contain the length of frame check sequences.
        link: header.network.0 & 0xFFFF,
        data: block.data,
        cut: (block.origlen as usize).saturating_sub(block.data.len()),
    }
}

fn packet_of_enhanced<'b>(block: &EnhancedPacketBlock<'b>, interface: &Interface) -> Packet<'b> {
    let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
    // Without the padding of the block.
    let data = block.data.get(..block.caplen as usize).unwrap_or(block.data);
    Packet {
        time: Some(time(ticks, interface)),
        link: interface.link,
        data,
        cut: (block.origlen as usize).saturating_sub(data.len()),
    }
}

/// Converts a simple packet, which has no timestamp: it gets the time of the previous packet.
fn packet_of_simple<'b>(
    block: &SimplePacketBlock<'b>,
    interface: &Interface,
    time: Option<Time>,
) -> Packet<'b> {
    let limit = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
    let length = block.orig_len().min(limit) as usize;
    let data = block.data.get(..length).unwrap_or(block.data);
    let cut = (block.orig_len() as usize).saturating_sub(data.len());
    Packet { time, link: interface.link, data, cut }
}

fn interface(block: &InterfaceDescriptionBlock<'_>, is_big_endian: bool) -> Interface {
    let offset = block.options.iter().find(|option| option.code == OptionCode::IfTsoffset);
    let offset = offset.and_then(|option| <[u8; 8]>::try_from(option.value.get(..8)?).ok());
    let read = if is_big_endian { i64::from_be_bytes } else { i64::from_le_bytes };
    Interface {
        link: block.linktype.0,
        snap_length: block.snaplen,
        resolution: block.if_tsresol,
        offset: offset.map_or(0, read),
    }
}

/// Converts a timestamp in units of a negative power of ten, or of two, of a second.
fn time(ticks: u64, interface: &Interface) -> Time {
    let ticks = i128::from(ticks);
    let exponent = u32::from(interface.resolution & 0x7F);
    let nanoseconds = if interface.resolution & 0x80 != 0 {
        (ticks * NANOSECONDS).checked_shr(exponent).unwrap_or(0)
    } else {
        10_i128.checked_pow(exponent).map_or(0, |unit| ticks * NANOSECONDS / unit)
    };
    Time(nanoseconds + i128::from(interface.offset) * NANOSECONDS)
}
