//! Detects the format of an input and explains it.

use crate::inspect::capture;
use crate::inspect::captured::{self, Explained};
use crate::inspect::compressed::decompress;
use crate::inspect::conversation::{self, Context};
use crate::inspect::unsupported;

/// Explains a file with HTTP messages or a packet capture, which may be compressed. Of the decompressed
/// data, at most `max_decompressed` bytes are explained.
pub fn explain(file: &str, bytes: &[u8], context: Context, max_decompressed: usize) -> Explained {
    let Some(decompressed) = decompress(bytes, max_decompressed) else {
        return explain_decompressed(file, bytes, context);
    };
    let explained = explain_decompressed(file, &decompressed.bytes, context);
    // The end of incomplete data may look like damage too.
    Explained { damage: decompressed.damage.or(explained.damage), ..explained }
}

fn explain_decompressed(file: &str, bytes: &[u8], context: Context) -> Explained {
    if capture::is_capture(bytes) {
        return captured::explain(file, bytes, context);
    }
    let damage = unsupported::advice(file, bytes);
    let reports = match damage {
        None => conversation::explain(file, bytes, context),
        Some(_) => Vec::new(),
    };
    Explained { reports, damage, ..Explained::default() }
}
