//! What has gone wrong elsewhere and cannot here, and what users ask for.

pub const MISTAKES: &str = "
H1 | bytes stored twice, an entity written again | only new bytes are handed out; being whole is a state
    model::nothing_goes_wrong_whatever_goes_wrong
    model::each_planted_bug_is_found
    server_random::whatever_comes_no_byte_is_lost_or_made_up
    server_decisions::a4_an_overlap_is_trimmed
    server_decisions::a3_a_fragment_after_completion_is_answered_as_the_last_one_was
H2 | lengths that wrap, offsets that are cut, holes in an entity | 64 bits, checked; one total; the next byte only
    fields::a_content_range_outside_its_entity_is_refused
    server_work::offsets_at_the_end_of_the_numbers_do_not_overflow
    server_decisions::a14_another_total_is_refused
    server_decisions::a6_a_gap_is_answered_with_416_and_the_offset
H3 | paths made of an id or a name | an id is looked up, a name changes nothing
    server_table::a_session_is_found_in_any_spelling_of_its_guid
    conformance_sequence::a_name_changes_nothing_about_a_session
H4 | ids that can be guessed, or that open everything | 122 random bits, bound to URL and owner; access every time
    field_ids::random_bytes_give_122_bits server_table::an_id_that_is_taken_is_not_given_again
    server_table::a_session_is_only_there_for_its_url_and_its_principal
    server_work::access_is_asked_for_every_packet
H5 | data thrown away and acknowledged, errors answered with 200, no answer | one typed answer for each request
    model::nothing_goes_wrong_whatever_goes_wrong
    server_states::what_is_answered_at_once_changes_nothing
    server_states::nothing_reaches_a_session_that_has_ended
    server_states::every_request_is_busy_while_the_host_works_and_changes_nothing
    server_random::whatever_comes_no_byte_is_lost_or_made_up
H6 | a length that is not that of the body | the writer alone writes framing
    extras::the_fields_of_a_message_are_reserved_in_any_letter_case
    extras::a_value_cannot_smuggle_another_field_or_message
    conformance_gaps::every_ack_says_that_it_is_one_and_has_no_body
H7 | codes compared as texts | they are numbers
    field_codes::a_code_is_read_with_every_prefix field_codes::a_code_that_is_not_hexadecimal_is_refused
    field_codes::zero_is_no_error_and_an_empty_value_is_none
H8 | sessions tied to a connection, locks for ever | plain data that expires; work that is given up
    model::nothing_goes_wrong_whatever_goes_wrong
    server_stored::every_session_is_read_back_as_it_was
    server_time::work_that_nobody_reports_on_makes_room_for_the_next_request
    server_decisions::a40_a_session_expires_after_its_last_stored_byte
H9 | entities and fragments in memory | no byte passes through; a step allocates nothing
    allocations::an_observer_allocates_nothing
    allocations::the_steps_of_a_session_and_of_an_upload_allocate_nothing
    server_states::a_session_is_small_plain_data
H10 | a client that goes on beyond what was acknowledged | the offset is the Ack's
    model::nothing_goes_wrong_whatever_goes_wrong
    model::each_planted_bug_is_found
    client_decisions::a18_a26_the_offset_comes_from_the_server_alone
    client_random::whatever_it_is_told_it_keeps_its_promises_and_then_ends
";

pub const ASKS: &str = "
any-server | a server that is not IIS | a session and a table of them, over any store
    server_table::an_upload_works_over_every_store transfer::made_up_bytes_arrive
resume-connection | going on over another connection | nothing hangs on one
    model::nothing_goes_wrong_whatever_goes_wrong
    server_work::pieces_count_as_they_are_stored
    client_mishaps::an_upload_that_is_paused_at_any_time_goes_on_with_a_ping
    transfer::a_bad_network_does_not_stop_it
resume-restart | going on after a restart or a reboot | both ends can be stored at any time
    model::nothing_goes_wrong_whatever_goes_wrong
    server_stored::work_goes_on_in_a_session_that_was_read_back
    client_stored::an_upload_read_back_goes_on_and_ends
    backend_stored::what_was_read_goes_on_like_what_was_stored
right-416 | a 416 that says where to go on | always with an offset, never with an error
    server_decisions::a6_a_gap_is_answered_with_416_and_the_offset
    refusals::a_refusal_to_go_on_names_the_offset_and_no_error
large-entities | more than 4 GiB | offsets of 64 bits at both ends
    fields::a_content_range_is_read_and_written
    server_work::offsets_at_the_end_of_the_numbers_do_not_overflow
    client_fragments::the_largest_entity_ends_without_an_overflow
empty-entities | no bytes at all | created and closed
    server_decisions::a1_a_zero_length_entity_is_created_and_closed
    client_decisions::a1_an_empty_entity_is_created_and_closed
last-fragment | the last fragment: short, repeated, refused | each has its answer
    server_decisions::a3_a_fragment_after_completion_is_answered_as_the_last_one_was
    client_fragments::what_is_halved_is_what_was_sent
    server_work::an_application_that_refuses_for_now_is_told_again
transient-errors | which errors pass | a class for every status and code
    refusals::every_status_and_code_has_its_class
tolerant-names | names in whatever letter case | read
    field_names::names_are_recognised_in_any_letter_case
fragment-sizing | how long fragments are | bounds, a pace of the caller's, halved at 413
    client_fragments::the_length_of_fragments_stays_within_its_bounds
    client_fragments::fragments_are_halved_until_the_floor_and_then_it_fails
proxies | answers of proxies | classified by their status, never a success
    refusals::a_bare_answer_has_the_class_of_its_status_alone
    client_decisions::a18_an_answer_that_is_no_ack_is_classified_by_its_status_and_a_success_is_none
http-stacks | HTTP stacks of one's own | names and values in, names and values out
    splits::fields_from_another_stack_are_read_as_those_of_a_head
    properties::every_output_takes_the_same_bytes_and_no_more_room_than_it_asked_for
expiring-tokens | tokens that expire on the way | asked for again, and the same packet goes again
    client_mishaps::credentials_are_given_with_the_same_packet
connection-authentication | authentication of connections | a Ping first on a new one
    client_decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
overwriting | what is at the destination already | replaced only by policy, else 403
    server_answers::a23_the_order_of_the_checks server_table::a_refused_create_makes_no_session
reading-captures | captured traffic, explained | the example `inspect`
    inspect_captures::an_upload_that_tcpdump_captured
    inspect_captures::a_bad_network_that_tshark_captured
    inspect_violations::a_violation_has_a_rule_a_section_a_severity_and_a_message
    inspect::every_vector_is_read_as_its_manifest_says
    inspect::without_files_two_conversations_are_explained
replies | uploads with a reply | from the application to the client
    server_time::what_there_is_of_a_reply_that_nobody_reported_is_deleted
    server_work::the_reply_is_at_a_url_from_the_last_fragment_on
    client_mishaps::the_reply_is_fetched_before_the_session_is_closed_and_tried_again
    transfer::there_is_a_reply_to_all_but_an_empty_entity
expiry | sessions that nobody ends | they expire, and say what to delete
    server_time::what_times_out_is_asked_for_until_it_is_deleted
    server_table::the_sweep_ends_what_has_timed_out
quotas | limits | on entities, fragments, sessions, and sessions of one owner
    server_table::there_are_no_more_sessions_than_the_limits_say
    server_work::what_is_too_large_is_refused_so_that_the_client_knows_what_to_do
";
