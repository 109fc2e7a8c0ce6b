//! [MC-BUP] 3.2: the server.

pub const ROWS: &str = "
R3.2-1 enforced | a server notifies applications | module backend, and Step::Notify
    backend::states::the_table_matches_the_specification
    server::decisions::a2_completion_and_publication_are_separate
R3.2-2 enforced | a server that offers replies notifies applications
    backend::states::the_table_matches_the_specification
    server::work::the_reply_url_is_sent_from_the_last_fragment_on

R3.2.1.1-1 enforced | three notification types
    backend::refusals::each_type_has_its_own_request
R3.2.1.1-2 enforced | notification type none: nothing is sent
    backend::states::without_an_application_a_notification_is_complete_at_once
    backend::refusals::each_type_has_its_own_request
R3.2.1.1-3 enforced | by reference: the application receives a path
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R3.2.1.1-4 enforced | by value: the application receives the bytes
    backend::states::by_value_the_entity_is_sent_in_parts_of_any_length
R3.2.1.1-5 embedder | URL of the application | the request target given to the notification's encode
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind

R3.2.2.1-1 enforced | the session timeout is configurable | Policy::session_timeout
    server::time::the_current_policy_sets_the_session_timeout
R3.2.2.1-2 enforced | one timeout for all sessions of a directory, 14 days by default
    server::time::a_session_expires_exactly_at_its_timeout
    server::sessions::expired_sessions_are_ended
R3.2.3-1 n/a | one listener per port | the HTTP listener
R3.2.3-2 embedder | the listener passes requests to the server | the caller passes each head
    message::http_types::every_vector_is_read_as_from_bytes
R3.2.4.1-1 n/a | a prefix is registered | the HTTP listener
R3.2.4.2-1 embedder | disabling uploads ends their sessions | Sessions::expire for each; Access::Disabled
    server::time::a_session_can_be_expired_early server::sessions::expired_sessions_are_ended
R3.2.4.2-2 n/a | a prefix is unregistered | the HTTP listener

R3.2.5.1.3-1 embedder | data for the back-end client | Step::Notify requests it; the embedder creates a Notification
    server::decisions::a2_completion_and_publication_are_separate
R3.2.5.2.1-1 enforced | refusals are HTTP responses
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.2.5.2.1-2 enforced | refusals have no body
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.2.5.2.3-1 enforced | each response is the Ack of its request's type
    requirements::every_request_gets_the_ack_of_its_kind
R3.2.5.2.3-2 enforced | requests are checked
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    error_order::the_error_of_the_earliest_stage_is_reported
R3.2.5.2.3-3 enforced | invalid requests: 400, invalid argument
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument
    message::refusals::another_missing_field_is_a_bad_request_under_every_policy
R3.2.5.2.3-4 embedder | authorization of uploads | Access is a parameter of every packet
    server::work::access_is_checked_for_every_packet
    server::sessions::access_is_checked_before_the_session_lookup
R3.2.5.2.3-5 enforced | no access: 403, access denied
    server::work::access_is_checked_for_every_packet
R3.2.5.2.3-6 departed | Content-Length is required | without a body its absence is a deviation (A16)
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
R3.2.5.2.3-7 enforced | no Content-Length: 411, invalid argument | for a Fragment; others by policy (A16)
    server::answers::a16_a_missing_length_is_answered_as_the_policy_sets
    message::refusals::a_missing_length_is_answered_by_policy
R3.2.5.2.3-8 departed | the session is looked up except for Create-Session | nor for a Ping, which names none (A9)
    server::states::a_request_answered_at_once_changes_nothing
    server::sessions::a_session_is_found_in_any_spelling_of_its_guid
    server::decisions::a9_a_ping_is_answered_in_every_state_and_prolongs_nothing
R3.2.5.2.3-9 enforced | unknown session: 500, session not found
    server::answers::a20_session_ids_are_compared_as_guids_and_echoed_as_issued
    server::decisions::a11_close_or_cancel_again_finds_no_session
    server::sessions::a_session_exists_only_for_its_url_and_its_principal

R3.2.5.2.4-1 enforced | a protocol that both ends support
    field::ids::the_clients_order_decides server::answers::a23_the_order_of_the_checks
R3.2.5.2.4-2 enforced | no common protocol: 400, invalid argument
    server::answers::a23_the_order_of_the_checks
R3.2.5.2.4-3 enforced | a GUID for the session
    field::ids::random_bytes_become_a_version_4_guid server::sessions::ids_consist_of_the_random_bytes
R3.2.5.2.4-4 embedder | the entity is staged before it is published | Step::Store and Step::Commit are separate
    server::decisions::a2_completion_and_publication_are_separate
R3.2.5.2.4-5 enforced | the configured host and its timeout are sent
    server::answers::a_created_session_names_the_host_to_continue_at
R3.2.5.2.4-6 enforced | Create-Session is answered, with success or failure
    requirements::every_request_gets_the_ack_of_its_kind
    server::answers::a23_the_order_of_the_checks
R3.2.5.2.5-1 enforced | a Ping is answered with 200 | if access is granted
    server::decisions::a9_a_ping_is_answered_in_every_state_and_prolongs_nothing
    server::sessions::a_ping_does_not_use_the_store
R3.2.5.2.6-1 departed | 416 and the offset unless it begins at the next byte | an overlap is trimmed (A4, A5)
    server::decisions::a4_an_overlap_is_trimmed
    server::decisions::a5_a_range_that_was_received_is_answered_with_the_offset
    server::decisions::a6_a_gap_is_answered_with_416_and_the_offset
R3.2.5.2.6-2 enforced | an invalid range: 400, invalid argument
    field::numbers::a_content_range_with_invalid_syntax_is_rejected
    field::numbers::a_content_range_outside_its_entity_is_refused
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument
R3.2.5.2.6-3 enforced | a Fragment is answered
    requirements::every_request_gets_the_ack_of_its_kind
    server::random::random_events_neither_lose_nor_invent_bytes
R3.2.5.2.6-4 enforced | context 7 for failures of the application
    server::work::an_application_that_refuses_temporarily_is_notified_again
R3.2.5.2.7-1 embedder | closing moves the entity to its destination | Step::Commit requests it
    server::decisions::a2_completion_and_publication_are_separate
    server::states::a_request_follows_the_table
R3.2.5.2.7-2 embedder | closing deletes the stored data of the session | Step::Discard requests it; Sessions removes the record
    server::decisions::a7_a_close_before_all_fragments_discards
    server::sessions::an_upload_works_over_every_store
R3.2.5.2.7-3 enforced | closing a session whose entity is lost: 404
    server::work::a_lost_entity_ends_the_session
R3.2.5.2.7-4 embedder | closing deletes the reply kept by the server | Discard::reply requests it
    server::time::an_unreported_reply_is_deleted
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
R3.2.5.2.7-5 enforced | Close-Session is answered
    requirements::every_request_gets_the_ack_of_its_kind
R3.2.5.2.8-1 embedder | cancelling deletes all stored data | Step::Discard requests it
    server::decisions::a8_a_cancel_after_the_last_fragment_keeps_a_published_entity
R3.2.5.2.8-2 embedder | cancelling deletes the reply kept by the server | Discard::reply requests it
    server::time::an_unreported_reply_is_deleted
    server::decisions::a8_a_cancel_after_the_last_fragment_keeps_a_published_entity
R3.2.5.2.8-3 enforced | Cancel-Session is answered
    requirements::every_request_gets_the_ack_of_its_kind

R3.2.6.1-1 enforced | an expired session is deleted with its data | Step::Discard requests the files
    server::time::an_unreported_reply_is_deleted
    server::time::a_session_expires_exactly_at_its_timeout
    server::sessions::expired_sessions_are_ended
R3.2.7-1 enforced | a server may end sessions early | Session::expire; limits refuse new ones
    server::time::a_session_can_be_expired_early
    server::sessions::the_number_of_sessions_is_limited
";
