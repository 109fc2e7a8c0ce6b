//! Copies the sources of `bits-proto` and inserts calls into the functions that read tables, mappings and limits.
//! The package builds the copy as its library. The sources themselves stay free of hooks.

mod edits;
mod source;

use std::{fs, io};

use bits_proto_test_tools::core_sources;

use edits::EDITS;
use source::Source;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build");
    let folder = core_sources::copy()?;
    for (file, edits) in EDITS {
        let path = folder.join(file);
        let mut source = Source::new(file, fs::read_to_string(&path)?);
        for edit in *edits {
            source.apply(edit);
        }
        fs::write(path, source.into_text())?;
    }
    Ok(())
}
