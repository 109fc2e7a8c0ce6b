//! Copies the sources of `bits-proto` and inserts calls into the functions that read tables, mappings and limits.
//! The package builds the copy as its library. The sources themselves stay free of hooks.

mod edits;
mod source;

use std::path::Path;
use std::{env, fs, io};

use edits::EDITS;
use source::Source;

fn main() -> io::Result<()> {
    let from = Path::new("../../src");
    println!("cargo::rerun-if-changed={}", from.display());
    println!("cargo::rerun-if-changed=build");
    let to = Path::new(&env::var_os("OUT_DIR").expect("a build script")).join("src");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    copy(from, &to)?;
    for (file, edits) in EDITS {
        let path = to.join(file);
        let mut source = Source::new(file, fs::read_to_string(&path)?);
        for edit in *edits {
            source.apply(edit);
        }
        fs::write(path, source.into_text())?;
    }
    let root = to.join("lib.rs");
    fs::write(&root, source::without_inner_attributes(&fs::read_to_string(&root)?))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
