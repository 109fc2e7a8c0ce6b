//! The tables of cases.

use bits_conformance::client::{Suite, Transfer, cases};

use crate::tables;

#[test]
fn patterns_select_cases_of_one_direction() {
    let select = |transfer, pattern: &str| {
        let suite = Suite::new(transfer, ["{url}", "{file}"]).only(pattern);
        suite.cases().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(
        select(Transfer::Upload, "upload"),
        ["upload.file", "upload.empty", "upload.one_byte", "upload.no_empty_fragment"]
    );
    assert_eq!(select(Transfer::Upload, "download"), Vec::<&str>::new());
    assert_eq!(
        select(Transfer::Download, "download"),
        ["download.file", "download.empty", "download.one_byte", "download.many_reads"]
    );
}

#[test]
fn the_readme_states_the_number_of_cases() {
    let readme = include_str!("../../README.md");
    let (uploads, downloads) = (cases(Transfer::Upload).count(), cases(Transfer::Download).count());
    let text =
        format!("{uploads} for clients that upload, and {downloads} for clients that download");
    assert!(readme.contains(&text), "no {text:?} in the README");
}

#[test]
fn every_case_is_based_on_requirements_that_exist() {
    tables::have_requirements(cases(Transfer::Upload).chain(cases(Transfer::Download)));
}

#[test]
fn ids_are_stable_names_and_advice_is_one_sentence() {
    for transfer in [Transfer::Upload, Transfer::Download] {
        tables::have_ids_and_advice(cases(transfer), 110);
    }
}
