//! Checks the documents: links, paths, code, metrics, the feature tables, and the length of the README.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bits_proto_test_tools::markdown;

/// Documents that are shown elsewhere too, on a package page or by rustdoc, where no relative link works. A picture
/// is replaced there by its description.
const WITHOUT_LINKS: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "crates/cli/README.md",
    "crates/client/README.md",
    "crates/server/README.md",
    "docs/EMBEDDING.md",
];
const OTHERS: [&str; 10] = [
    "CONTRIBUTING.md",
    "docs/BENCHMARKS.md",
    "docs/CONFORMANCE-CASES.md",
    "docs/CONFORMANCE.md",
    "docs/INSPECT.md",
    "docs/INTEROP.md",
    "docs/PRODUCTION.md",
    "docs/RENAMES.md",
    "fuzz/README.md",
    "tests/captures/README.md",
];
/// Guides in `src/`, which link by path of an item; rustdoc checks those links.
const GUIDES: [&str; 2] = ["src/guide/machines.md", "src/guide/stacks.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    markdown::read(&root().join(name))
}

/// Removes fenced blocks, which contain no links.
fn without_blocks(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

/// Returns the targets of inline links and of link definitions.
fn links(text: &str) -> Vec<String> {
    let text = without_blocks(text);
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = text.lines().filter(|line| line.starts_with('['));
    let defined = defined.filter_map(|line| line.split_once("]: ").map(|(_, target)| target));
    inline.chain(defined).map(str::to_owned).collect()
}

fn is_relative(link: &str) -> bool {
    !link.contains("://") && !link.starts_with('#')
}

/// Returns the anchors that Markdown makes of the headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let text = without_blocks(text);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(markdown::anchor).collect()
}

/// Returns the paths in code spans, such as `docs/EMBEDDING.md`.
fn paths(text: &str) -> Vec<String> {
    let text = without_blocks(text);
    let spans = text.split('`').skip(1).step_by(2);
    let folders = [
        ".cargo/",
        ".ci/",
        "benches/",
        "crates/",
        "docs/",
        "examples/",
        "fuzz/",
        "packaging/",
        "src/",
        "tests/",
    ];
    let is_path = |span: &&str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        let is_file = span.ends_with(".md") && span.starts_with(|it: char| it.is_uppercase());
        (folders.iter().any(|folder| span.starts_with(folder)) || is_file)
            && span.bytes().all(is_plain)
            && !span.contains("TARGET") // a placeholder
    };
    spans.filter(is_path).map(str::to_owned).collect()
}

#[test]
fn every_link_has_a_target() {
    let mut links_found = 0;
    for name in WITHOUT_LINKS.into_iter().chain(OTHERS) {
        let text = text(name);
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            if is_relative(&link) {
                let is_permitted = !WITHOUT_LINKS.contains(&name) || path.ends_with(".png");
                assert!(is_permitted, "{name}: relative link {link:?}");
                let folder = root().join(name).parent().map(PathBuf::from).unwrap_or_default();
                assert!(folder.join(path).exists(), "{name}: link to missing file {path:?}");
            } else if path.is_empty() {
                assert!(anchors(&text).contains(anchor), "{name}: no heading for {link:?}");
            }
            links_found += 1;
        }
    }
    assert!(links_found > 10, "{links_found}");
}

#[test]
fn every_path_exists() {
    let mut found = 0;
    for name in WITHOUT_LINKS.into_iter().chain(OTHERS).chain(GUIDES) {
        for path in paths(&text(name)) {
            assert!(root().join(&path).exists(), "{name}: {path} does not exist");
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn paths_in_the_readme_are_in_the_package() {
    let manifest = text("Cargo.toml");
    let include = manifest.lines().find_map(|line| line.strip_prefix("include = "));
    let include = include.expect("a list of files on one line");
    let included: Vec<_> =
        include.split('"').skip(1).step_by(2).map(|it| it.trim_end_matches('*')).collect();
    for path in paths(&text("README.md")) {
        let path = format!("/{path}");
        let is_included = included.iter().any(|prefix| path.starts_with(prefix));
        assert!(is_included, "README.md names {path}, which is not in the package");
    }
}

#[test]
fn the_readme_gets_to_the_point() {
    let readme = text("README.md");
    let before: Vec<_> = readme.lines().take_while(|line| *line != "## Features").collect();
    assert!(before.len() <= 84, "{} lines before the feature table", before.len());
    let first = readme.split("\n\n").nth(1).expect("a paragraph");
    for term in [
        "sans-IO",
        "BITS Upload Protocol",
        "Background Intelligent Transfer",
        "`Start-BitsTransfer -TransferType Upload`",
        "`bitsadmin`",
    ] {
        assert!(first.contains(term), "the first paragraph does not mention {term}");
    }
}

/// Returns the blocks of code whose language begins with `rust,`, without their languages.
fn blocks(text: &str) -> Vec<String> {
    let parts = text.split("\n```").skip(1).step_by(2);
    let blocks = parts.filter_map(|block| block.split_once('\n'));
    blocks
        .filter(|(language, _)| language.starts_with("rust,"))
        .map(|(_, code)| code.into())
        .collect()
}

/// The doctests of the libraries compile the code of their own pages. The core cannot compile it.
#[test]
fn code_of_the_libraries_is_that_of_their_pages() {
    let compiled: BTreeSet<String> = ["crates/client/README.md", "crates/server/README.md"]
        .into_iter()
        .flat_map(|name| blocks(&text(name)))
        .collect();
    assert_eq!(compiled.len(), 5);
    for name in ["README.md", "docs/EMBEDDING.md"] {
        let shown = blocks(&text(name)).into_iter().filter(|code| code.contains("use bits_"));
        let shown: Vec<_> = shown.filter(|code| !code.contains("use bits_proto")).collect();
        assert!(shown.len() >= 2, "{name} shows {} blocks", shown.len());
        for code in shown {
            assert!(compiled.contains(&code), "{name}: not the code of a library page:\n{code}");
        }
    }
}

#[test]
fn the_production_page_shows_the_packaged_configuration() {
    let packaged = text("packaging/serve.toml");
    let options: Vec<_> = packaged.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(text("docs/PRODUCTION.md").contains(&options.join("\n")));
}

#[test]
fn every_metric_is_described() {
    let source = text("crates/server/src/metrics.rs");
    let names = source.lines().filter_map(|line| line.strip_prefix("pub(crate) const "));
    let names: Vec<_> = names.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(names.len() >= 9, "{names:?}");
    for page in ["crates/server/src/lib.rs", "docs/PRODUCTION.md"] {
        let page_text = text(page);
        for name in &names {
            assert!(page_text.contains(&format!("`{name}`")), "{page} does not describe {name}");
        }
    }
}

/// Returns the rows of a feature table, wherever it is.
fn features(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let rows = lines.skip_while(|line| !line.starts_with("| feature |")).skip(2);
    rows.take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

/// Returns the names in a feature table.
fn named(table: &[String]) -> BTreeSet<String> {
    table.iter().filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect()
}

/// Returns the features that a manifest declares.
fn declared(manifest: &str) -> BTreeSet<String> {
    let section = manifest.split("\n[features]\n").nth(1).expect("a section of features");
    let section = section.split("\n[").next().expect("its end");
    let declared = section.lines().filter_map(|line| Some(line.split_once(" = ")?.0));
    declared.filter(|name| *name != "default").map(str::to_owned).collect()
}

#[test]
fn both_feature_tables_list_all_features() {
    let table = features(&text("README.md"));
    assert_eq!(table, features(&text("src/lib.rs")));
    assert_eq!(named(&table), declared(&text("Cargo.toml")));
}

#[test]
fn both_feature_tables_of_the_server_list_all_features() {
    let table = features(&text("crates/server/README.md"));
    assert_eq!(table, features(&text("crates/server/src/lib.rs")));
    assert_eq!(named(&table), declared(&text("crates/server/Cargo.toml")));
}

#[test]
fn the_minimum_rust_version_is_that_of_the_manifest() {
    for folder in ["", "crates/cli/", "crates/client/", "crates/conformance/", "crates/server/"] {
        let manifest = text(&format!("{folder}Cargo.toml"));
        let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
        let version = version.expect("a version").trim_matches('"');
        let sentence = format!("minimum supported Rust version is {version}");
        assert!(text(&format!("{folder}README.md")).contains(&sentence), "{folder}: {sentence}");
    }
}

/// Returns the lines about requests of the first block after a text.
fn proxy_lines<'t>(page: &'t str, start: &str) -> Vec<&'t str> {
    let block = page.split_once(start).expect("the settings").1.split("\n```").nth(1);
    let lines = block.expect("a block").lines().map(str::trim);
    lines
        .filter(|it| ["proxy_", "client_max", "header_up"].iter().any(|name| it.starts_with(name)))
        .collect()
}

/// Tests run the proxies with the settings of the guide.
#[test]
fn the_production_page_shows_the_settings_of_the_guide() {
    let (page, guide) = (text("docs/PRODUCTION.md"), text("src/guide/stacks.md"));
    for (name, section) in [("\nnginx:\n", "\n## nginx\n"), ("\nCaddy,", "\n## Caddy\n")] {
        let (shown, tested) = (proxy_lines(&page, name), proxy_lines(&guide, section));
        assert!(tested.len() >= 2, "{tested:?}");
        assert_eq!(shown, tested);
    }
}

#[test]
fn mutants_are_excluded_in_files_that_exist() {
    let settings = text(".cargo/mutants.toml");
    let patterns = settings.lines().filter_map(|line| line.trim().strip_prefix('\''));
    let files: BTreeSet<_> = patterns
        .filter_map(|pattern| Some(pattern.split_once("\\.rs")?.0.to_owned() + ".rs"))
        .collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        assert!(root().join(&file).exists(), "{file} does not exist");
    }
}
