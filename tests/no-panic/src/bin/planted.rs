//! A function that can panic. The program does not link, which shows that the proof works.

use core::hint::black_box;

use bits_proto_no_panic::entry_point;

fn main() {
    black_box(entry_point!("panic in planted", |(bytes, index): (&[u8], usize)| bytes[index]));
}
