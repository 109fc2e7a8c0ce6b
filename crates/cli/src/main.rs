//! The program `bits`.

use clap::Parser;

/// BITS uploads and downloads.
#[derive(Parser)]
#[command(name = "bits", version)]
struct Arguments {}

fn main() {
    let Arguments {} = Arguments::parse();
}
