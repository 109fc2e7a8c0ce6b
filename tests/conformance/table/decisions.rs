//! Decisions where the specification, Microsoft's pages, captures and Windows disagree.

/// All decision numbers; the others were never assigned.
pub const IDS: &str = "
A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A13 A14 A15 A16 A17 A18 A18b A19 A20 A21 A22 A23 A24 A26 A27 A28 A29 A30
A31 A33 A33b A33c A33d A33e A34 A35 A35b A35c A36 A37 A39 A40 A41
D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D12 D13 D14 D15 D16
";

pub const ROWS: &str = "
A1 | an entity of no bytes | created and closed without a fragment; by policy not whole
    server::decisions::a1_a_zero_length_entity_is_created_and_closed
    client::decisions::a1_an_empty_entity_is_created_and_closed
A2 | when the entity is published | at Close-Session; by policy with the last fragment
    server::decisions::a2_completion_and_publication_are_separate
A3 | a fragment after the last one | the last answer is repeated; only a failed notification is retried
    backend::accepted::no_event_after_the_acceptance_leads_to_an_error
    backend::accepted::a_failure_after_the_acceptance_loses_only_the_reply
    backend::accepted::an_early_success_counts_even_if_the_rest_cannot_be_sent
    server::decisions::a3_a_fragment_after_completion_is_answered_as_the_last_one_was
    server::acceptance::the_acceptance_is_recorded_before_the_reply
    server::acceptance::after_the_acceptance_every_failure_continues_with_the_reply
    server::acceptance::a_failed_publication_does_not_notify_again
    server::acceptance::an_acceptance_counts_after_another_request_has_taken_over
    server::acceptance::an_acceptance_counts_after_the_work_was_aborted
    server::acceptance::the_server_asks_nobody_to_start_over_after_the_acceptance
    server::store::an_overtaken_acceptance_is_recorded
A4 | an overlap | only new bytes are stored; by policy 416
    server::decisions::a4_an_overlap_is_trimmed
A5 | a range that was already received | 200 and the offset; by policy 416
    server::decisions::a5_a_range_that_was_received_is_answered_with_the_offset
A6 | a gap | 416 and the offset
    server::decisions::a6_a_gap_is_answered_with_416_and_the_offset
A7 | Close-Session before the last fragment | discarded, 200; by policy 400
    server::decisions::a7_a_close_before_all_fragments_discards
A8 | Cancel-Session after the last fragment | 200; a published entity stays, the reply is deleted
    server::decisions::a8_a_cancel_after_the_last_fragment_keeps_a_published_entity
A9 | Ping and sessions | always 200; its id is ignored; the session timeout is unchanged
    server::decisions::a9_a_ping_is_answered_in_every_state_and_prolongs_nothing
A10 | a second Create-Session | creates another session
    server::decisions::a10_every_create_session_creates_a_session
    server::states::a_request_answered_at_once_changes_nothing
    client::decisions::a10_to_create_again_begins_another_session_at_its_first_byte
    server::sessions::ids_consist_of_the_random_bytes
A11 | Close or Cancel repeated after a lost Ack | server: session not found; client: treated as done
    model::every_order_of_events_keeps_the_rules
    server::decisions::a11_close_or_cancel_again_finds_no_session
    client::close::a11_a_session_that_is_gone_after_a_lost_close_is_closed
    client::close::a11_a_session_that_is_gone_at_the_first_close_is_started_over
    client::close::a11_a_session_that_is_gone_is_cancelled
A13 | an invalid range | 400 before the body is read
    field::numbers::a_content_range_with_invalid_syntax_is_rejected
    field::numbers::a_content_range_outside_its_entity_is_refused
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument
A14 | a different total | 400
    observer::sequence::each_rule_is_reported_where_it_is_broken_and_nowhere_else
    server::decisions::a14_another_total_is_refused
A15 | Content-Length differs from the range's length | 400 before the body is read
    error::every_kind_has_the_expected_properties inspect::vectors::every_vector_is_read_as_its_manifest_says
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument
A16 | a request without Content-Length | length 0, a deviation, or by policy 411 or 400; a Fragment 411 or 400
    server::answers::a16_a_packet_without_a_body_needs_no_length_by_default
    server::answers::a16_a_missing_length_is_answered_as_the_policy_sets
    message::refusals::a_missing_length_is_answered_by_policy
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
    error::a_transfer_coding_is_reported_alike_by_every_reader
A17 | Transfer-Encoding in a response | chunked alone, or decoded by a stack: a deviation; others are rejected
    http1::framing::a_response_body_ends_in_one_of_four_ways
    http1::framing::a_response_of_doubtful_end_is_rejected
    http1::chunked::an_input_has_the_same_result_byte_by_byte_and_split_anywhere
    message::chunked::a_chunked_ack_is_read_like_any_other
    message::chunked::code_context_and_offset_of_a_chunked_refusal_count
    message::chunked::a_chunked_response_of_another_server_breaks_no_rule_of_bits
    message::chunked::no_transfer_coding_is_an_error_after_another_http_stack
A18 | a response without a packet type | never a success; a failure is classified by its status
    error::every_kind_has_the_expected_properties
    client::decisions::a18_a_response_that_is_not_an_ack_is_classified_by_its_status
    message::response_status::a_refusal_that_is_read_has_the_class_of_its_parts_with_and_without_a_packet_type
    message::unreadable::details_without_a_packet_type_are_read_alike
A18b | an unreadable detail of a refusal | a deviation; the other parts of the refusal count
    message::unreadable::each_unreadable_detail_is_a_deviation_and_hides_no_other
    message::unreadable::the_readable_one_of_two_error_fields_is_used
    message::unreadable::an_unreadable_detail_of_a_success_is_an_error
A19 | the session id in an Ack | absent or different: a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
    message::requirements::a_refusal_that_names_another_session_is_recorded
A20 | comparison of session ids | as GUIDs if both are GUIDs; otherwise bytes; echoed as issued
    server::answers::a20_session_ids_are_compared_as_guids_and_echoed_as_issued
    field::ids::spellings_of_one_guid_are_one_session
    field::ids::ids_that_are_not_guids_are_compared_byte_for_byte
A21 | error fields in a success | ignored, a deviation
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
A22 | two fields for one code | BITS-Error takes precedence; both are written, by policy one
    message::response_status::the_first_error_field_present_is_used
    message::refusal_output::the_code_is_written_in_the_fields_that_were_asked_for
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
A23 | several errors in one request | the first in a fixed order of checks is reported
    error_order::the_error_of_the_earliest_stage_is_reported
    error_order::framing_is_checked_first_and_a_body_before_the_session
    server::answers::a23_the_order_of_the_checks
    server::sessions::access_is_checked_before_the_session_lookup
A24 | scope of the 4 KiB limit | bytes of one trimmed value; 4097 are rejected
    error::a_long_value_of_an_unknown_field_has_an_offset_but_no_name
    inspect::vectors::every_vector_is_read_as_its_manifest_says
    http1::splits::white_space_around_the_values_of_another_stack_does_not_count
A26 | offsets a client accepts | in an Ack up to the bytes sent; in a 416 up to the total
    inspect::violations::a_server_may_acknowledge_bytes_of_an_earlier_fragment
    observer::sequence::the_received_offset_lies_within_what_was_sent
    client::decisions::a18_a26_the_offset_comes_from_the_server_alone
    client::decisions::a26_an_impossible_offset_changes_nothing
    message::ack::the_next_offset_comes_from_the_ack
    message::ack::an_out_of_sync_offset_is_valid_up_to_the_total
A27 | repeated 416 | the third without progress is a failure
    client::decisions::a27_the_third_consecutive_response_without_progress_is_a_failure
A28 | the fallback timer | runs from the first failure until any Ack; then origin server, with a Ping
    client::fallback::a28_after_the_fallback_timeout_the_origin_server_is_used
    client::fallback::a28_any_ack_stops_the_timer
    client::fallback::a28_only_an_unreachable_host_starts_the_timer
A29 | session not found | restart at offset 0, a limited number of times
    model::every_order_of_events_keeps_the_rules
    client::decisions::a29_starting_over_is_counted_and_limited
A30 | a reply without a URL | reported; the session can still be closed
    client::decisions::a30_a_reply_without_a_url_is_reported_and_the_session_can_be_closed
A31 | a reply URL before the last fragment | ignored, a deviation
    observer::sequence::a_reply_url_comes_with_the_last_fragment
    client::decisions::a31_a_reply_before_the_last_byte_is_ignored
    message::ack::an_early_reply_url_is_ignored
A33 | classification of failures | a class for every status and code; redirects are not followed
    message::failures::every_status_code_and_context_has_its_class
    client::decisions::a33_every_status_and_code_has_its_effect
    client::failures::a_404_to_a_fragment_that_is_longer_than_accepted_ones_halves_it
    client::failures::a_404_to_the_first_fragment_is_fatal_with_advice
A33b | failures of the server application | by status alone: transient or fatal; code 0x8020001F starts over in any context
    message::failures::every_status_code_and_context_has_its_class
    message::failures::an_application_never_asks_for_credentials_or_smaller_fragments
    message::unreadable::a_416_of_the_application_needs_no_offset
A33c | Retry-After | the earliest time of the next try; limited by an option
    client::retry_after::the_number_of_seconds_is_the_shortest_wait
    client::retry_after::a_date_is_the_callers_delay
    client::retry_after::the_wait_is_limited_by_an_option
    message::response_status::a_refusal_has_the_time_of_the_next_try_if_it_is_valid
A33d | other success statuses | any 2xx with a packet type is a success, other than 200 and 201 with a deviation
    message::response_status::every_success_status_with_a_packet_type_is_a_success
    message::refusals::a_success_an_interim_response_and_a_bare_416_are_not_refusals
A33e | a session lost in other words | retried; then the caller can restart the upload
    client::failures::a_resumed_session_that_is_rejected_in_other_words_is_retried_and_then_suspended
    client::failures::a_restart_creates_a_new_session_at_the_origin_server
A34 | two codes for a full disk | both are read; a policy selects the one to write
    server::answers::a34_a_full_disk_is_reported_as_the_policy_sets
    field::codes::both_spellings_of_a_full_disk_are_one
A35 | Cancel while suspended | allowed
    client::decisions::a35_an_upload_can_be_cancelled_until_it_has_ended
A35b | Content-Name of our client | with every Fragment; by option with Create-Session
    client::names::every_fragment_carries_the_name_and_no_other_packet_does
    client::names::create_session_carries_the_name_by_option
A35c | a 2xx other than 200 of the application | the entity is accepted, a deviation; by policy a failure
    backend::accepted::any_2xx_accepts_the_entity_unless_only_200_does
    backend::accepted::a_response_with_204_or_205_has_no_reply
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
A36 | when a client sends Ping | at a new host, after resuming, on a connection that authenticates
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
A37 | the body of a rejected fragment | the answer says whether to drain it or to close
    server::answers::a37_the_answer_says_how_to_handle_the_body
    server::work::the_body_of_a_repeated_fragment_is_not_forgotten
A39 | two requests for one session at once | the second is busy: 503
    model::every_order_of_events_keeps_the_rules
    server::decisions::a39_a_second_request_is_busy
    server::states::every_request_during_work_is_answered_with_503_and_changes_nothing
A40 | session timeout | counted from the last stored byte, 14 days by default
    server::decisions::a40_a_session_expires_after_its_last_stored_byte
A41 | pseudo-code that never advances | the offset in the Ack is the next offset
    client::decisions::a41_a_plain_success_advances_to_its_offset
D1 | the length of the entity | from Content-Range of a 206, and from Content-Length of a 200 and of HEAD
    download::responses::a_response_says_which_bytes_its_body_contains
D2 | an entity that changed | all bytes are discarded; at most three times
    download::client::versions::an_entity_that_changed_is_downloaded_again_from_its_start
    download::client::versions::a_failed_condition_means_that_the_entity_changed
D3 | the version of the entity | date, strong tag and length of every response are compared
    download::client::versions::an_entity_that_changed_is_downloaded_again_from_its_start
    download::client::versions::a_weak_tag_is_not_compared
    download::client::versions::bytes_without_a_comparable_validator_do_not_continue_those_with_one
    download::client::missing_validator::bytes_of_an_interrupted_response_are_discarded
    download::client::missing_validator::ranges_that_need_several_requests_suspend_the_download
    download::client::missing_validator::an_option_compares_lengths_only
    download::random::ten_thousand_downloads_end_with_the_bytes_of_one_version
D4 | the condition of a request | If-Unmodified-Since; others by option
    download::client::requests::conditions_are_those_of_the_options
D5 | several ranges that do not work | single ranges, unless the length shows a change
    download::client::ranges::single_ranges_are_requested_where_several_do_not_work
    download::client::versions::a_416_with_another_length_means_that_the_entity_changed
D6 | 412 and 304 | 412 means a change; 304 is an error
    download::client::versions::a_failed_condition_means_that_the_entity_changed
    download::client::ranges::a_wrong_answer_to_a_single_range_is_retried_and_never_stored
D7 | 200 in place of a range | an error unless the range is the entity; skipped by option
    download::client::ranges::the_whole_entity_in_place_of_a_range_is_an_error_or_skipped
D8 | a 206 with other bytes | never stored
    download::client::ranges::a_wrong_answer_to_a_single_range_is_retried_and_never_stored
D9 | a content coding | never stored
    download::client::failures::a_coded_body_is_never_stored
D10 | an entity without a length | an error; by option dynamic content, which starts over
    download::client::dynamic::an_entity_without_a_length_is_an_error_or_dynamic_content
    download::client::dynamic::dynamic_content_that_breaks_off_too_often_suspends_the_download
D11 | redirects | the caller follows them or not; https to http is an error
    download::client::failures::transient_failures_are_retried_and_redirects_fail
    field::redirects::a_redirect_from_https_to_http_is_rejected
    field::redirects::a_redirect_to_another_origin_is_visible
D12 | requested ranges | closed
    download::client::requests::requests_are_limited_in_length_and_in_the_number_of_ranges
    download::ranges::offsets_and_lengths_of_any_size_choose_no_byte_twice
D13 | peers | an action and a source for each range
    download::client::peers::ranges_that_peers_have_are_fetched_from_them
D14 | the order of conditions | that of RFC 9110
    download::plan::conditions_are_evaluated_in_the_order_of_http
    download::plan::an_ignored_range_gives_the_whole_entity
D15 | the response to ranges | in their order, never merged; limited in number and amplification
    download::plan::several_ranges_are_sent_as_parts_in_the_order_of_the_request
    download::plan::a_request_beyond_a_limit_gives_the_whole_entity
    download::plan::ranges_that_the_entity_does_not_have_are_answered_with_its_length
    download::plan::head_is_answered_like_get_without_a_body
    download::presence::messages_are_written_as_http_and_the_specification_require
D16 | the form of parts | lengths come from Content-Range; up to two CRLF precede the first boundary
    download::multipart::the_length_of_a_part_comes_from_its_range
    download::multipart::what_real_servers_send_is_accepted
";
