//! Decompresses files in gzip and zstd format.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The readable part of compressed data.
pub struct Decompressed {
    pub bytes: Vec<u8>,
    /// Reason why the rest cannot be read.
    pub damage: Option<String>,
}

/// Decompresses a file up to a limit. Returns `None` for a file that is not compressed, based on its
/// magic number.
pub fn decompress(bytes: &[u8], limit: usize) -> Option<Decompressed> {
    let mut output = Output { bytes: Vec::new(), limit };
    let (format, end) = match bytes {
        [0x1F, 0x8B, 8, ..] => ("gzip", gzip(bytes, &mut output)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
            ("zstd", zstd(bytes, &mut output))
        }
        _ => return None,
    };
    let bytes = output.bytes;
    let length = bytes.len();
    let damage = end.err().map(|end| {
        let why = match end {
            End::Truncated => format!("the {format} data is truncated"),
            End::Corrupt => format!("the {format} data is corrupt"),
            End::Limit => "the decompressed data exceeds the limit (--max-decompressed)".to_owned(),
            End::Unsupported(why) => format!("the {format} data cannot be decompressed: {why}"),
        };
        format!("{why}; the first {length} decompressed bytes are explained")
    });
    Some(Decompressed { bytes, damage })
}

/// Reason why the rest of compressed data cannot be read.
enum End {
    Truncated,
    Corrupt,
    /// The limit on the decompressed length is exceeded.
    Limit,
    /// The format has a feature that the decoder does not support, such as a dictionary.
    Unsupported(String),
}

struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    /// Appends all data of a reader, or the part up to the limit or to an error.
    fn extend(&mut self, reader: impl Read) -> Result<(), End> {
        let allowed = self.limit - self.bytes.len();
        let end = reader.take(allowed as u64 + 1).read_to_end(&mut self.bytes);
        if self.bytes.len() > self.limit {
            self.bytes.truncate(self.limit);
            return Err(End::Limit);
        }
        end.map(|_| ()).map_err(|error| end_of(&error))
    }
}

fn end_of(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => End::Truncated,
        _ => End::Corrupt,
    }
}

/// Decompresses the members of a gzip file (RFC 1952).
fn gzip(bytes: &[u8], output: &mut Output) -> Result<(), End> {
    output.extend(MultiGzDecoder::new(bytes))
}

/// Decompresses the frames of a zstd file (RFC 8878).
fn zstd(mut bytes: &[u8], output: &mut Output) -> Result<(), End> {
    // The decoder limits the window, which it keeps in memory, of all frames but the first.
    const EMPTY_FRAME: [u8; 9] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0, 1, 0, 0];
    let mut decoder = FrameDecoder::new();
    decoder.init(&EMPTY_FRAME[..]).map_err(|error| End::Unsupported(error.to_string()))?;
    while !bytes.is_empty() {
        match decoder.init(&mut bytes) {
            Ok(()) => zstd_frame(&mut decoder, &mut bytes, output)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => bytes = bytes.get(length as usize..).ok_or(End::Truncated)?,
            Err(
                error @ (FrameDecoderError::WindowSizeTooBig { .. }
                | FrameDecoderError::DictNotProvided { .. }),
            ) => return Err(End::Unsupported(error.to_string())),
            Err(_) if bytes.is_empty() => return Err(End::Truncated),
            Err(_) => return Err(End::Corrupt),
        }
    }
    Ok(())
}

/// Decompresses the blocks of a frame, one at a time.
fn zstd_frame(
    decoder: &mut FrameDecoder,
    bytes: &mut &[u8],
    output: &mut Output,
) -> Result<(), End> {
    while !decoder.is_finished() {
        if decoder.decode_blocks(&mut *bytes, BlockDecodingStrategy::UptoBlocks(1)).is_err() {
            let end = if bytes.is_empty() { End::Truncated } else { End::Corrupt };
            // The decoder keeps the last bytes back until the frame has ended. This ends it: an empty
            // last block, and a checksum.
            const LAST: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
            let _ = decoder.decode_blocks(&LAST[..], BlockDecodingStrategy::All);
            output.extend(decoder)?;
            return Err(end);
        }
        output.extend(&mut *decoder)?;
    }
    let (expected, found) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
    if expected.is_some() && expected != found { Err(End::Corrupt) } else { Ok(()) }
}
