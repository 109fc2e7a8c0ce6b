//! A module imports only from the layers below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers from bottom to top. Modules of one layer may import from each other if they are not
/// listed apart.
const LAYERS: [&[&str]; 5] = [
    &["deviation", "error", "field_name", "limits", "persist", "state_machine", "util"],
    &["http1"],
    &["field"],
    &["message"],
    &["backend", "client", "download", "observer", "server"],
];

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|layer| layer.contains(&module));
    found.unwrap_or_else(|| panic!("no layer for the module `{module}`"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that a source file names outside its comments.
fn imports(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = code.flat_map(|line| line.split("crate::").skip(1));
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    paths
        .map(|path| path.chars().take_while(|letter| is_part(*letter)).collect::<String>())
        .filter(|module| module.starts_with(char::is_lowercase))
        .collect()
}

#[test]
fn a_module_imports_only_from_the_layers_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut checked = 0;
    for file in files {
        let name = file.strip_prefix(&src).expect("a path below src").with_extension("");
        let module = name.iter().next().and_then(|part| part.to_str()).expect("a module");
        if matches!(module, "lib" | "guide") {
            continue;
        }
        for import in imports(&fs::read_to_string(&file).expect("a source file")) {
            assert!(
                layer(&import) <= layer(module),
                "{} imports from `{import}`, a layer above",
                file.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 200, "only {checked} imports were found");
}
