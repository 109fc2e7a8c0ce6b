//! [MC-BUP] 2.2.8 to 2.3: the packets that end a session, and notifications.

pub const ROWS: &str = "
R2.2.8-1 enforced | Close-Session declares the upload complete
    client::decisions::a41_a_plain_success_advances_to_its_offset
    client::retry::the_reply_is_fetched_before_the_session_is_closed_and_retried
R2.2.8-2 enforced | Close-Session deletes the data of the session and the reply
    server::time::an_unreported_reply_is_deleted
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
R2.2.8.1-1 enforced | Content-Length is 0
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.8.2-1 enforced | BITS-Packet-Type is Close-Session
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    field::numbers::a_packet_type_is_read_in_every_letter_case
R2.2.8.3-1 enforced | no body after Close-Session
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.9-1 enforced | Close-Session is answered after the session's data is deleted
    requirements::the_end_of_a_session_is_acknowledged_after_its_data_is_deleted
R2.2.9.1-1 enforced | Content-Length is 0
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.9.2-1 enforced | BITS-Packet-Type is Ack
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.9.2-2 departed | BITS-Error in a refusal only | omitted with 404, 500 and 503 (note 4)
    observer::messages::error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::a_lost_entity_ends_the_session message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.9.2-3 departed | BITS-Error-Context in a refusal only | sent with a code only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::work::a_lost_entity_ends_the_session message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.9.3-1 enforced | no body after its Ack | a body is a deviation, and framed by its length
    message::requirements::every_ack_has_its_packet_type_and_no_body

R2.2.10-1 enforced | Cancel-Session ends an upload and its session
    client::decisions::a35_an_upload_can_be_cancelled_until_it_has_ended
    server::decisions::a8_a_cancel_after_the_last_fragment_keeps_a_published_entity
R2.2.10.1-1 enforced | Content-Length is 0
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.10.2-1 enforced | BITS-Packet-Type is Cancel-Session
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    field::numbers::a_packet_type_is_read_in_every_letter_case
R2.2.10.3-1 enforced | no body after Cancel-Session
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
R2.2.11-1 enforced | Cancel-Session is answered after the session's data is deleted
    requirements::the_end_of_a_session_is_acknowledged_after_its_data_is_deleted
R2.2.11.1-1 enforced | Content-Length is 0
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.11.2-1 enforced | BITS-Packet-Type is Ack
    message::requirements::every_ack_has_its_packet_type_and_no_body
R2.2.11.2-2 departed | BITS-Error in a refusal only | omitted with 500 and 503 (note 4)
    observer::messages::error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::decisions::a39_a_second_request_is_busy
    message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.11.2-3 departed | BITS-Error-Context in a refusal only | sent with a code only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    server::decisions::a39_a_second_request_is_busy
    message::refusal_output::without_a_code_no_error_field_is_written
    message::presence_messages::an_unexpected_field_is_recorded_and_ignored
R2.2.11.3-1 enforced | no body after its Ack | a body is a deviation, and framed by its length
    message::requirements::every_ack_has_its_packet_type_and_no_body

R2.2.12-1 enforced | sent if an application is configured, by reference or by value | Step::Notify requests it
    server::decisions::a2_completion_and_publication_are_separate
    backend::refusals::each_type_has_its_own_request
R2.2.12.1-1 enforced | Content-Length is the length of the body
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-1 enforced | the original URL is an http URL | checked where it is built; in a received message anything else is a deviation
    field::original_urls::a_url_that_must_not_be_sent_is_refused_at_the_byte
    field::original_urls::the_url_is_composed_of_scheme_host_and_target
    field::original_urls::a_notification_with_a_url_that_must_not_be_sent_is_still_parsed
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R2.2.12.2-2 enforced | the original URL is required
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-3 embedder | path of the entity, on one machine | argument of Notification::request_by_reference
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-4 embedder | path of the entity, between machines | argument of Notification::request_by_reference
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-5 enforced | path of the entity, by reference only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
    message::presence_messages::a_message_is_refused_without_a_required_field
    message::presence_messages::a_single_path_makes_a_notification_one_by_reference
R2.2.12.2-6 embedder | the application writes its reply to the given path | Poll::FindReply asks for it
    backend::states::by_reference_the_reply_is_the_file
R2.2.12.2-7 embedder | path of the reply, on one machine | argument of Notification::request_by_reference
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-8 embedder | path of the reply, between machines | argument of Notification::request_by_reference
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.2-9 enforced | path of the reply, by reference only
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
    message::presence_messages::a_message_is_refused_without_a_required_field
    message::presence_messages::a_single_path_makes_a_notification_one_by_reference
R2.2.12.3-1 enforced | by value, the body is the entity
    backend::states::by_value_the_entity_is_sent_in_parts_of_any_length
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R2.2.12.3-2 enforced | by reference, there is no body | a body is a deviation
    backend::timers::by_reference_the_receive_timers_start_with_the_head
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message

R2.2.13.1-1 enforced | Content-Length is the length of the body | absent: until close, with a deviation
    backend::states::a_body_that_is_too_short_loses_the_reply backend::states::received_bytes_cannot_exceed_content_length
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R2.2.13.2-1 embedder | the static URL is absolute | set by the application; a relative one is a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R2.2.13.2-2 embedder | the client can reach the static URL | set by the application and passed on unchanged
    backend::refusals::every_static_url_is_a_reply_url
R2.2.13.2-3 enforced | the static URL is an http URL
    field::urls::a_url_with_a_scheme_is_absolute_and_http
R2.2.13.2-4 enforced | a field requests the entity at its destination
    backend::states::by_value_the_reply_is_the_body backend::states::by_reference_the_reply_is_the_file
    field::texts::the_copy_field_is_written_as_1
R2.2.13.3-1 enforced | by value, without a static URL, the body is the reply
    backend::states::by_value_the_reply_is_the_body
R2.2.13.3-2 enforced | otherwise the response has no body | a body is ignored
    backend::states::by_value_a_body_beside_a_static_url_is_discarded
    backend::states::by_reference_the_reply_is_the_file
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message

R2.3-1 enforced | additional fields of downloads
    download::plan::extra_fields_precede_those_of_the_plan_and_cannot_replace_them
R2.3-2 enforced | unknown fields of downloads are ignored
    download::multipart::what_real_servers_send_is_accepted
    download::client::ranges::single_ranges_are_requested_where_several_do_not_work
";
