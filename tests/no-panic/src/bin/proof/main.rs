//! Calls of the functions of `bits-proto`. The program links if none of them can panic.

mod types;

use core::hint::black_box;

use bits_proto_no_panic::entry_point;

fn consume<T>(value: T) {
    black_box(&value);
}

fn main() {
    let (entry_points, excluded): (&[*const ()], usize) =
        include!(concat!(env!("OUT_DIR"), "/entry_points.rs"));
    let entry_points = black_box(entry_points);
    println!("{} functions cannot panic; {excluded} are excluded", entry_points.len());
}
