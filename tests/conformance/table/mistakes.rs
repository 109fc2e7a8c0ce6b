//! Mistakes of other implementations that are prevented here, and requests of users.

pub const MISTAKES: &str = "
H1 | bytes stored twice, an entity written twice | only new bytes are handed out; completeness is a state
    model::every_order_of_events_keeps_the_rules
    model::bugs::each_planted_bug_is_found
    server::random::random_events_neither_lose_nor_invent_bytes
    server::decisions::a4_an_overlap_is_trimmed
    server::decisions::a3_a_fragment_after_completion_is_answered_as_the_last_one_was
H2 | lengths that wrap, truncated offsets, holes in an entity | checked 64-bit numbers; one total; the next byte only
    field::numbers::a_content_range_outside_its_entity_is_refused
    server::work::offsets_at_the_end_of_the_numbers_do_not_overflow
    server::decisions::a14_another_total_is_refused
    server::decisions::a6_a_gap_is_answered_with_416_and_the_offset
H3 | paths built from an id or a name | ids are only looked up; names are ignored
    server::sessions::a_session_is_found_in_any_spelling_of_its_guid
    requirements::a_name_changes_nothing_about_a_session
H4 | guessable ids, ids as the only credential | 90 or more random bits, bound to URL and owner; access per packet
    field::ids::random_bytes_give_122_bits
    server::memory_store::ids_contain_the_number_of_the_next_slot
    server::sessions::an_existing_id_is_not_issued_again
    server::sessions::a_session_exists_only_for_its_url_and_its_principal
    server::work::access_is_checked_for_every_packet
H5 | discarded data acknowledged, errors as 200, no answer | one typed answer for each request
    model::every_order_of_events_keeps_the_rules
    server::states::a_request_answered_at_once_changes_nothing
    server::states::nothing_reaches_a_session_that_has_ended
    server::states::every_request_during_work_is_answered_with_503_and_changes_nothing
    server::random::random_events_neither_lose_nor_invent_bytes
H6 | Content-Length differs from the body | only the writer sets framing fields
    message::extras::the_fields_of_a_message_are_reserved_in_any_letter_case
    message::extras::a_value_cannot_smuggle_another_field_or_message
    message::requirements::every_ack_has_its_packet_type_and_no_body
H7 | codes compared as text | codes are numbers
    field::codes::a_code_is_read_with_every_prefix field::codes::a_code_that_is_not_hexadecimal_is_refused
    field::codes::zero_and_empty_values_mean_no_error
H8 | sessions bound to a connection, locks without timeout | plain data with expiry; abandoned work times out
    model::every_order_of_events_keeps_the_rules
    server::persist::every_session_is_restored_unchanged
    server::time::work_without_reports_times_out_for_the_next_request
    server::decisions::a40_a_session_expires_after_its_last_stored_byte
H9 | entities and fragments in memory | no body bytes pass through; a step allocates nothing
    allocations::an_observer_allocates_nothing
    allocations::the_steps_of_a_session_and_of_an_upload_allocate_nothing
    server::states::a_session_is_small_plain_data
H10 | a client that advances past the acknowledged offset | the Ack gives the offset
    model::every_order_of_events_keeps_the_rules
    model::bugs::each_planted_bug_is_found
    client::decisions::a18_a26_the_offset_comes_from_the_server_alone
    client::random::any_inputs_keep_the_invariants_and_lead_to_an_end
";

pub const ASKS: &str = "
any-server | a server other than IIS | a session and a session table over any store
    server::sessions::an_upload_works_over_every_store transfer::generated_data_arrives
resume-connection | resuming on another connection | sessions are independent of connections
    model::every_order_of_events_keeps_the_rules
    server::work::stored_pieces_are_received_at_once
    client::retry::an_upload_that_is_paused_at_any_time_continues_with_a_ping
    transfer::a_bad_network_does_not_stop_it
resume-restart | resuming after a restart or reboot | both ends can be persisted at any time
    model::every_order_of_events_keeps_the_rules
    server::persist::work_continues_in_a_restored_session
    client::persist::a_restored_upload_continues_to_its_end
    backend::persist::a_restored_notification_continues_like_the_original
right-416 | a 416 that carries the offset | always with an offset, never with an error
    server::decisions::a6_a_gap_is_answered_with_416_and_the_offset
    message::refusals::an_out_of_sync_refusal_has_an_offset_and_no_error_code
large-entities | more than 4 GiB | 64-bit offsets at both ends
    field::numbers::a_content_range_is_read_and_written
    server::work::offsets_at_the_end_of_the_numbers_do_not_overflow
    client::fragments::the_largest_entity_ends_without_an_overflow
empty-entities | empty entities | created and closed
    server::decisions::a1_a_zero_length_entity_is_created_and_closed
    client::decisions::a1_an_empty_entity_is_created_and_closed
last-fragment | last fragment short, repeated or rejected | each has a defined answer
    server::decisions::a3_a_fragment_after_completion_is_answered_as_the_last_one_was
    client::fragments::the_length_that_was_sent_is_halved
    server::work::an_application_that_refuses_temporarily_is_notified_again
transient-errors | classification of transient errors | a class for every status and code
    message::failures::every_status_code_and_context_has_its_class
tolerant-names | field names in any letter case | accepted
    field::names::names_are_recognised_in_any_letter_case
fragment-sizing | fragment length | limits, chosen by the caller, halved after 413
    client::fragments::the_length_of_fragments_stays_within_its_bounds
    client::fragments::fragments_are_halved_to_the_minimum_and_then_the_upload_fails
proxies | responses of proxies | classified by status, never a success
    message::response_status::a_refusal_that_is_read_has_the_class_of_its_parts_with_and_without_a_packet_type
    client::decisions::a18_a_response_that_is_not_an_ack_is_classified_by_its_status
http-stacks | other HTTP stacks | messages from and to names and values
    http1::splits::fields_from_another_stack_are_read_as_those_of_a_head
    message::properties::every_output_takes_the_same_bytes_and_no_more_room_than_it_asked_for
expiring-tokens | tokens that expire during an upload | requested again; the same packet is repeated
    client::retry::credentials_are_given_with_the_same_packet
connection-authentication | authentication of connections | a Ping first on a new connection
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
overwriting | existing files at the destination | replaced by policy only, otherwise 403
    server::answers::a23_the_order_of_the_checks server::sessions::a_refused_create_session_creates_no_session
reading-captures | explaining captured traffic | `bits inspect`
    inspect::one_direction::requests_without_captured_responses_are_not_pipelined
    inspect::one_direction::responses_without_captured_requests_are_checked_by_themselves
    inspect::violations::a_server_may_acknowledge_bytes_of_an_earlier_fragment
    observer::missed::requests_whose_responses_are_missed_violate_no_rule_of_order
    observer::missed::responses_whose_requests_are_missed_violate_no_rule_of_order
    inspect::captures::an_upload_that_tcpdump_captured
    inspect::captures::a_bad_network_that_tshark_captured
    inspect::violations::a_violation_has_a_rule_a_section_a_severity_and_a_message
    inspect::vectors::every_vector_is_read_as_its_manifest_says
    inspect::vectors::without_files_two_conversations_are_explained
    inspect::layout::every_input_has_one_line_per_message_that_fits
    inspect::summary::violations_are_counted_by_rule_and_party_and_sorted_by_severity
    inspect::formats::a_zeek_log_is_read_by_its_own_header
    inspect::formats::ecs_has_the_fields_of_its_schema_with_their_types
replies | upload-reply jobs | from the application to the client
    server::time::an_unreported_reply_is_deleted
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
    client::retry::the_reply_is_fetched_before_the_session_is_closed_and_retried
    transfer::there_is_a_reply_to_all_but_an_empty_entity
expiry | abandoned sessions | expire and name the data to delete
    server::time::deletion_is_requested_until_it_is_reported
    server::sessions::expired_sessions_are_ended
quotas | limits | for entities, fragments, sessions, and sessions per owner
    server::sessions::the_number_of_sessions_is_limited
    server::work::excess_sizes_are_refused_with_the_right_code
";
