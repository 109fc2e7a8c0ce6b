//! The content coding gzip.

/// Returns bytes in the form of gzip, without compression.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    // RFC 1952: deflate, no flags, no time, unknown operating system.
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    // RFC 1951: stored blocks, the last of which is empty.
    for block in bytes.chunks(usize::from(u16::MAX)) {
        push_block(&mut coded, block, false);
    }
    push_block(&mut coded, b"", true);
    coded.extend_from_slice(&crc32(bytes).to_le_bytes());
    // The length modulo 2^32.
    coded.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    coded
}

fn push_block(coded: &mut Vec<u8>, block: &[u8], is_last: bool) {
    let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
    coded.push(u8::from(is_last));
    coded.extend_from_slice(&length.to_le_bytes());
    coded.extend_from_slice(&(!length).to_le_bytes());
    coded.extend_from_slice(block);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_value_of_the_polynomial_is_correct() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
