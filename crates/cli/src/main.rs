//! The program `bits`; see the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    bits_cli::main()
}
