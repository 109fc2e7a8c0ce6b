//! Calls of the functions of `bits-proto`. The program links if none of them can panic.

mod types;

use core::hint::black_box;

use bits_proto_no_panic::entry_point;

fn consume<T>(value: T) {
    black_box(&value);
}

fn main() {
    let (entry_points, proven, excluded): (&[*const ()], usize, usize) =
        include!(concat!(env!("OUT_DIR"), "/entry_points.rs"));
    black_box(entry_points);
    println!("{proven} functions cannot panic; {excluded} are excluded");
}
