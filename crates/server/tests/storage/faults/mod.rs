//! The conformance suite finds faults: each of these storages has one, and fails the cases that test the promise.

mod handles;
mod storage;

use bits_server::testing;

use self::storage::Faulty;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    AlwaysReplaces,
    AppendsToSurplus,
    BeginsWithWrites,
    ChecksBeforePublication,
    DiscardsBoth,
    DiscardsPublished,
    FailsAfterTheEnd,
    FlushesLate,
    ForgetsPublications,
    HidesLoss,
    HidesMissingFolders,
    IgnoresAge,
    KeepsFirstReply,
    KeepsTag,
    KeepsTime,
    ListsNothing,
    LosesEmptyEntities,
    NamesWrongFile,
    OpensLateWriters,
    PublishesLate,
    ReadsLatestVersion,
    ReadsSurplus,
    RejectsUnicode,
    RemovesBeforePublication,
    RemovesOnce,
    RepliesAtOnce,
    RepliesLate,
    ReplacesFolders,
    ReplacesSpaces,
    ReportsWrongLength,
    ShortensPieces,
    ShowsStaged,
    StagesOnOneNode,
    StopsAfterFlush,
    WritesLate,
}

/// Each fault with the cases that fail.
const FAULTS: &[(Fault, &[&str])] = &[
    (Fault::None, &[]),
    (
        Fault::AlwaysReplaces,
        &["an_existing_entity_is_not_replaced", "one_of_several_sessions_publishes"],
    ),
    (
        Fault::AppendsToSurplus,
        &[
            "bytes_that_were_not_flushed_do_not_count",
            "bytes_that_were_not_acknowledged_do_not_count",
            "a_late_flush_changes_nothing",
        ],
    ),
    (Fault::BeginsWithWrites, &["a_session_must_have_begun"]),
    (Fault::ChecksBeforePublication, &["one_of_several_sessions_publishes"]),
    (
        Fault::DiscardsBoth,
        &["the_entity_is_discarded_without_the_reply", "the_reply_is_discarded_without_the_entity"],
    ),
    (
        Fault::DiscardsPublished,
        &[
            "an_existing_entity_is_not_replaced",
            "a_late_discard_changes_nothing",
            "the_reply_is_discarded_without_the_entity",
            "removal_may_be_repeated",
        ],
    ),
    (Fault::FailsAfterTheEnd, &["entities_are_readable_at_any_offset"]),
    (Fault::FlushesLate, &["a_late_write_changes_nothing", "a_late_flush_changes_nothing"]),
    (
        Fault::ForgetsPublications,
        &["a_repeated_publication_succeeds", "an_existing_entity_is_not_replaced"],
    ),
    (
        Fault::HidesLoss,
        &["missing_bytes_are_reported_as_lost", "the_entity_is_discarded_without_the_reply"],
    ),
    (
        Fault::HidesMissingFolders,
        &["folders_may_be_part_of_a_key", "a_folder_is_not_replaced_by_an_entity"],
    ),
    (Fault::IgnoresAge, &["young_sessions_are_not_listed"]),
    (Fault::KeepsFirstReply, &["a_reply_replaces_that_of_an_earlier_attempt"]),
    (Fault::KeepsTag, &["a_replacement_changes_time_and_tag"]),
    (Fault::KeepsTime, &["a_replacement_changes_time_and_tag"]),
    (Fault::ListsNothing, &["sessions_without_records_are_listed_and_removed"]),
    (
        Fault::LosesEmptyEntities,
        &["an_entity_may_be_empty", "metadata_describes_the_published_entity"],
    ),
    (Fault::NamesWrongFile, &["a_server_application_finds_the_files"]),
    (Fault::OpensLateWriters, &["a_late_writer_changes_nothing"]),
    (
        Fault::PublishesLate,
        &["a_late_publication_changes_nothing", "the_entity_is_discarded_without_the_reply"],
    ),
    (Fault::ReadsLatestVersion, &["readers_never_mix_versions"]),
    (Fault::ReadsSurplus, &["a_staged_entity_is_readable"]),
    (
        Fault::RejectsUnicode,
        &["names_may_have_any_valid_characters", "folders_may_be_part_of_a_key"],
    ),
    (
        Fault::RemovesBeforePublication,
        &[
            "a_repeated_publication_succeeds",
            "one_of_several_replacements_remains",
            "a_replacement_changes_time_and_tag",
            "a_late_publication_changes_nothing",
        ],
    ),
    (Fault::RemovesOnce, &["a_session_must_have_begun", "removal_may_be_repeated"]),
    (
        Fault::RepliesAtOnce,
        &["a_reply_appears_when_it_is_complete", "a_reply_replaces_that_of_an_earlier_attempt"],
    ),
    (Fault::RepliesLate, &["an_overtaken_reply_does_not_count"]),
    (Fault::ReplacesFolders, &["a_folder_is_not_replaced_by_an_entity"]),
    (Fault::ReplacesSpaces, &["similar_names_are_different_entities"]),
    (Fault::ReportsWrongLength, &["metadata_describes_the_published_entity"]),
    (Fault::ShortensPieces, &["a_large_entity_in_odd_pieces_is_complete"]),
    (
        Fault::ShowsStaged,
        &[
            "an_upload_is_published_as_it_was_written",
            "missing_bytes_are_reported_as_lost",
            "a_late_write_changes_nothing",
            "a_late_flush_changes_nothing",
            "a_late_writer_changes_nothing",
            "a_late_publication_changes_nothing",
            "a_late_discard_changes_nothing",
        ],
    ),
    (
        Fault::StagesOnOneNode,
        &[
            "another_node_continues_an_upload",
            "a_late_write_changes_nothing",
            "a_late_flush_changes_nothing",
            "a_late_writer_changes_nothing",
        ],
    ),
    (
        Fault::StopsAfterFlush,
        &[
            "bytes_may_be_divided_in_any_way",
            "a_large_entity_in_odd_pieces_is_complete",
            "a_late_write_changes_nothing",
            "a_late_flush_changes_nothing",
            "a_late_writer_changes_nothing",
        ],
    ),
    (Fault::WritesLate, &["a_late_write_changes_nothing"]),
];

/// Runs on one thread, so that competing sessions always take turns in the same order.
#[tokio::test]
async fn every_fault_fails_the_cases_that_test_the_promise() {
    let mut untested: Vec<_> = Vec::new();
    for (fault, expected) in FAULTS {
        let storage = Faulty::new(*fault);
        let open = move |_| {
            let node = storage.node();
            async { Ok(node) }
        };
        let report = testing::storage(open).await;
        let failed: Vec<_> = report.failures().map(|case| case.name).collect();
        assert_eq!(failed, *expected, "{fault:?}: {report}");
        if *fault == Fault::None {
            untested = report.results().iter().map(|case| case.name).collect();
        }
        untested.retain(|case| !failed.contains(case));
    }
    assert!(untested.is_empty(), "no fault fails the cases {untested:?}");
}
