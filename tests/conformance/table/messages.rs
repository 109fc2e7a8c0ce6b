//! [MC-BUP] 2.1 to 2.2.7: requests, Acks and their fields.

pub const ROWS: &str = "
R2.1-1 embedder | additional authentication between the two ends | Access carries the decision; Poll::Credentials asks
    server::work::access_is_checked_for_every_packet
    client::retry::credentials_are_given_with_the_same_packet
    observer::authentication::a_fragment_without_a_body_that_is_challenged_violates_no_rule
    observer::authentication::a_fragment_without_a_body_but_with_a_token_violates_no_rule
    inspect::bodies::the_first_requests_of_an_authentication_are_valid
R2.1-2 embedder | transport of credentials | the embedder's HTTP stack; its fields are passed as extras
    message::extras::fields_of_the_transport_are_free

R2.2-1 enforced | additional HTTP fields keep their usual meaning | passed through; framing fields are checked
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::extras::fields_of_the_transport_are_free message::extras::a_value_cannot_smuggle_another_field_or_message
    message::presence_messages::an_ignored_field_changes_nothing
R2.2-2 n/a | fields of later versions | a permission for other implementations
R2.2-3 enforced | unknown fields are ignored
    message::requirements::unknown_fields_change_nothing
R2.2.1-1 enforced | version is 1.1 | a 1.0 response is accepted with a deviation
    error_order::the_error_of_the_earliest_stage_is_reported
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R2.2.1-2 enforced | fields have HTTP's syntax
    field::names::names_are_recognised_in_any_letter_case error::every_line_ends_in_cr_lf
    message::extras::a_name_is_a_token message::extras::a_value_ends_no_line_and_holds_no_control_character
R2.2.1-3 enforced | the method is BITS_POST | others only by policy, with a deviation
    error::every_kind_has_the_expected_properties
    message::requirements::every_request_has_a_packet_type_and_a_content_length
R2.2.1-4 enforced | Acks are HTTP responses
    field::numbers::a_status_has_three_digits message::requirements::every_refusal_is_an_http_response_without_a_body
    message::captures::the_conversations_are_written_as_they_were_read
R2.2.1-5 enforced | values of at most 4 KiB | in a response, longer ones are a deviation
    error::a_long_value_of_an_unknown_field_has_an_offset_but_no_name
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R2.2.1-6 departed | a misprinted field name for the packet type of an Ack | BITS-Packet-Type is used everywhere
    field::names::unknown_names_are_not_recognised
    message::requirements::unknown_fields_change_nothing
    message::requirements::every_ack_has_its_packet_type_and_no_body

R2.2.1.1-1 enforced | Content-Name holds bytes that a field can carry
    field::texts::opaque_values_contain_all_bytes_that_a_field_allows
R2.2.1.1-2 departed | Content-Name of at most 260 characters | a longer one is accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
    field::texts::the_limit_of_a_content_name_is_that_of_any_value
R2.2.1.1-3 enforced | Content-Length is digits, and repeated values agree
    field::numbers::a_length_is_digits error::every_kind_has_the_expected_properties
    http1::framing::a_list_of_equal_lengths_is_one_length http1::framing::any_other_list_of_lengths_is_rejected
R2.2.1.1-4 enforced | Content-Length in every request
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    message::requirements::every_request_has_a_packet_type_and_a_content_length
R2.2.1.2-1 enforced | there are six packet types
    field::numbers::a_packet_type_is_read_in_every_letter_case
    field::numbers::words_that_are_not_packet_types_are_rejected
R2.2.1.2-2 enforced | BITS-Packet-Type in all but notifications | a refusal without it keeps its status (A18)
    observer::messages::a_server_may_not_omit_the_packet_type
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    message::presence_messages::a_message_without_an_expected_field_is_accepted_and_recorded
    message::presence_messages::the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table
R2.2.1.2-3 enforced | session ids of one server are unique | 122 random bits, 90 with a MemoryStore; Sessions rejects a repeated id
    field::ids::random_bytes_become_a_version_4_guid field::ids::random_bytes_give_122_bits
    server::memory_store::created_sessions_have_ids_of_the_store
    server::sessions::an_existing_id_is_not_issued_again
R2.2.1.2-4 departed | BITS-Session-Id in all requests but Create-Session | captured Pings have none (A9)
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    requirements::every_packet_of_a_session_carries_the_id_it_was_issued
    server::decisions::a9_a_ping_is_answered_in_every_state_and_prolongs_nothing
R2.2.1.2-5 departed | BITS-Session-Id in every success | absent from the Ack for a Ping; elsewhere a deviation (A19)
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table
    message::presence_messages::a_message_without_an_expected_field_is_accepted_and_recorded
R2.2.1.2-6 enforced | a refusal may name its own session only | another one is a deviation (A19)
    message::requirements::a_refusal_that_names_another_session_is_recorded
R2.2.1.2-7 enforced | BITS-Error only in a failure
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
    message::presence_messages::the_writer_takes_ignored_fields_as_extras_and_no_others
R2.2.1.2-8 enforced | context 5 for the server, 7 for the application
    message::refusals::the_refusals_of_a_server_are_those_of_the_table
    backend::refusals::every_failure_is_reported_with_its_status_and_code
    server::work::an_application_that_refuses_temporarily_is_notified_again
R2.2.1.2-9 enforced | no context without an error
    message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::the_error_fields_of_a_refusal_replace_each_other

R2.2.2.1-1 departed | Content-Name on Create-Session | newer Windows sends none; the caller may add it
    requirements::the_caller_may_name_the_entity
    message::requirements::a_name_is_written_only_if_it_was_given
R2.2.2.1-2 enforced | Content-Length is 0
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.2.2-1 enforced | BITS-Packet-Type is Create-Session
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    field::numbers::a_packet_type_is_read_in_every_letter_case
R2.2.2.2-2 enforced | protocols are GUIDs
    field::ids::an_empty_or_invalid_list_is_rejected field::ids::a_protocol_is_a_guid
R2.2.2.2-3 enforced | preferred protocols come first
    field::ids::the_clients_order_decides field::ids::a_list_to_be_sent_has_1_to_100_protocols
R2.2.2.2-4 enforced | BITS-Supported-Protocols is required
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
R2.2.2.3-1 enforced | no body after Create-Session
    message::requirements::a_body_on_a_packet_that_has_none_is_refused

R2.2.3.1-1 enforced | Content-Length is 0
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.3.2-1 enforced | BITS-Packet-Type is Ack
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.3.2-2 enforced | BITS-Protocol in a success only | absent after an offer of one protocol, or in a refusal: a deviation
    observer::messages::a_refusal_may_not_name_a_protocol
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::ack::a_session_uses_an_offered_protocol
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.3.2-3 enforced | later packets carry the id from the Ack
    requirements::every_packet_of_a_session_carries_the_id_it_was_issued
R2.2.3.2-4 enforced | an Ack that creates a session carries an id
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
R2.2.3.2-5 enforced | BITS-Host-Id is the host for all further requests
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
    client::retry::a_host_is_kept_until_another_is_named
R2.2.3.2-6 enforced | BITS-Host-Id is a name or an address
    field::hosts::a_host_is_a_name_or_an_address field::hosts::a_value_that_is_not_only_a_host_is_rejected
R2.2.3.2-7 enforced | BITS-Host-Id replaces only the host of the URL
    field::hosts::the_host_of_a_url_is_replaced_and_nothing_else
R2.2.3.2-8 enforced | BITS-Host-Id only if a host is configured
    server::answers::a_created_session_names_the_host_to_continue_at
R2.2.3.2-9 enforced | seconds until the client returns to the origin server | counted from the first failure (A28)
    client::fallback::a28_after_the_fallback_timeout_the_origin_server_is_used
    field::numbers::a_timeout_is_seconds_in_32_bits
R2.2.3.2-10 enforced | BITS-Host-Id-Fallback-Timeout accompanies every BITS-Host-Id
    server::answers::a_created_session_names_the_host_to_continue_at
R2.2.3.2-11 departed | BITS-Error in a refusal only | omitted where the status is sufficient (note 4)
    observer::messages::error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::access_is_checked_for_every_packet message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.3.2-12 departed | BITS-Error-Context in a refusal only | sent with a code only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::access_is_checked_for_every_packet message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.3.3-1 enforced | no body after its Ack | a body is a deviation, and framed by its length
    message::requirements::every_ack_has_its_packet_type_and_no_body

R2.2.4-1 enforced | a Ping may probe a host first | the client always sends one
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
R2.2.4-2 embedder | a Ping on a new connection that authenticates | Upload::ping_first requests it
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
R2.2.4.1-1 enforced | Content-Length is 0
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.4.2-1 enforced | BITS-Packet-Type is Ping
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    field::numbers::a_packet_type_is_read_in_every_letter_case
R2.2.4.3-1 enforced | no body after a Ping
    message::requirements::a_body_on_a_packet_that_has_none_is_refused

R2.2.5.1-1 enforced | Content-Length is 0
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.5.2-1 enforced | BITS-Packet-Type is Ack
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.5.2-2 departed | BITS-Error in a refusal only | omitted where the status is sufficient (note 4)
    observer::messages::error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::access_is_checked_for_every_packet message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.5.2-3 departed | BITS-Error-Context in a refusal only | sent with a code only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::access_is_checked_for_every_packet message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.5.3-1 enforced | no body after its Ack | a body is a deviation, and framed by its length
    message::requirements::every_ack_has_its_packet_type_and_no_body

R2.2.6-1 enforced | the entity is sent to its URL in Fragments
    client::decisions::a41_a_plain_success_advances_to_its_offset
R2.2.6-2 enforced | both ends may limit the length of a fragment
    client::fragments::the_length_of_fragments_stays_within_its_bounds
    server::work::excess_sizes_are_refused_with_the_right_code
R2.2.6.1-1 departed | Content-Name with the first fragment | left to the caller, as on Create-Session
    requirements::the_caller_may_name_the_entity
R2.2.6.1-2 departed | the same name as on Create-Session | the server ignores it; the observer compares
    observer::sequence::each_rule_is_reported_where_it_is_broken_and_nowhere_else
    requirements::a_name_changes_nothing_about_a_session
R2.2.6.1-3 enforced | Content-Range is required
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
R2.2.6.2-1 enforced | BITS-Packet-Type is Fragment
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    field::numbers::a_packet_type_is_read_in_every_letter_case
R2.2.6.3-1 enforced | the length of the body equals the length of the range
    error::every_kind_has_the_expected_properties client::decisions::a41_a_plain_success_advances_to_its_offset
    client::random::any_inputs_keep_the_invariants_and_lead_to_an_end

R2.2.7-1 enforced | every Fragment is answered
    requirements::every_request_gets_the_ack_of_its_kind
    server::random::random_events_neither_lose_nor_invent_bytes
R2.2.7.1-1 enforced | Content-Length is 0
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.7.2-1 enforced | BITS-Packet-Type is Ack
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.7.2-2 enforced | the offset is the first byte of the next fragment
    client::decisions::a41_a_plain_success_advances_to_its_offset
    server::work::stored_pieces_are_received_at_once
R2.2.7.2-3 enforced | the offset is one more than the last byte received
    observer::incomplete::an_ack_may_not_acknowledge_bytes_that_did_not_arrive
    inspect::bodies::a_server_may_not_acknowledge_bytes_that_never_arrived
    field::numbers::the_numbers_of_a_content_range_fit_together server::work::stored_pieces_are_received_at_once
R2.2.7.2-4 enforced | BITS-Received-Content-Range is required | absent from a success: a deviation
    observer::sequence::an_ack_without_an_offset_violates_no_rule_about_offsets
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table
    message::presence_messages::a_message_without_an_expected_field_is_accepted_and_recorded
R2.2.7.2-5 enforced | no reply URL without a reply
    server::answers::a_reply_url_is_sent_only_with_the_ack_for_a_fragment
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
R2.2.7.2-6 enforced | a reply URL in the Ack for the last fragment
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
R2.2.7.2-7 enforced | no reply URL in the Ack for an earlier fragment
    observer::sequence::a_reply_url_comes_with_the_last_fragment
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
    message::ack::an_early_reply_url_is_ignored
R2.2.7.2-8 departed | BITS-Error in a refusal only | omitted with 413, 416, 503 and similar (note 4)
    observer::messages::error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::refusal_output::without_a_code_no_error_field_is_written
    message::refusals::an_out_of_sync_refusal_has_an_offset_and_no_error_code
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.7.2-9 departed | BITS-Error-Context in a refusal only | sent with a code only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::refusal_output::without_a_code_no_error_field_is_written
    message::refusals::an_out_of_sync_refusal_has_an_offset_and_no_error_code
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.7.3-1 enforced | no body after the Ack | a body is a deviation, and framed by its length
    message::requirements::every_ack_has_its_packet_type_and_no_body
";
