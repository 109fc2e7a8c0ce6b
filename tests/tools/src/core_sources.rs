//! Copies of the sources of `bits-proto`, which packages of tests edit and build.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Copies the sources to the folder of output of a build script, and returns the folder of the copy. A file of the
/// package can include its `lib.rs`.
///
/// # Panics
///
/// If the caller is not a build script of a package in a folder of `tests`.
pub fn copy() -> io::Result<PathBuf> {
    let from = Path::new("../../src");
    println!("cargo::rerun-if-changed={}", from.display());
    let to = Path::new(&env::var_os("OUT_DIR").expect("a build script")).join("src");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    copy_folder(from, &to)?;
    let root = to.join("lib.rs");
    let text = without_inner_attributes(&fs::read_to_string(&root)?);
    // The guide includes files outside the sources.
    let text = replace("lib.rs", &text, "pub mod guide;\n", "");
    let text = replace("lib.rs", &text, "extern crate std;\n", "extern crate std as _;\n");
    fs::write(root, text)?;
    Ok(to)
}

/// Replaces a text that occurs once.
///
/// # Panics
///
/// If the text occurs never or more than once.
pub fn replace(file: &str, text: &str, from: &str, to: &str) -> String {
    let count = text.matches(from).count();
    assert_eq!(count, 1, "{file}: {from:?} occurs {count} times");
    text.replace(from, to)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Removes the documentation and the attributes of the crate, which an included file cannot have.
fn without_inner_attributes(text: &str) -> String {
    let (mut output, mut is_inside) = (String::new(), false);
    for line in text.lines() {
        is_inside |= line.starts_with("#![");
        if !is_inside && !line.starts_with("//!") {
            output += line;
            output += "\n";
        }
        is_inside &= !line.ends_with(")]");
    }
    output
}
