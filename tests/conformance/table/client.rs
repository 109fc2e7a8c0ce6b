//! [MC-BUP] 3.1: the client.

pub const ROWS: &str = "
R3.1.1.1-1 embedder | type of credentials | requested by Poll::Credentials
    client::retry::credentials_are_given_with_the_same_packet
R3.1.1.2-1 embedder | a buffer for a fragment | Transmit::entity gives the range; the crate holds no bytes
    client::decisions::a41_a_plain_success_advances_to_its_offset

R3.1.4.1-1 embedder | parameters of a new upload | Upload::new takes the length; entity, URL and credentials stay outside
    client::states::the_getters_report_what_happened
R3.1.4.2-1 embedder | selection of the upload to pause | the value that Upload::pause is called on
    client::retry::an_upload_that_is_paused_at_any_time_continues_with_a_ping
R3.1.4.2-2 enforced | a paused upload is suspended | immediately; a request in progress is dropped
    client::retry::an_upload_that_is_paused_at_any_time_continues_with_a_ping
    client::states::every_input_in_every_state_follows_the_table_or_changes_nothing
R3.1.4.3-1 embedder | selection of the upload to resume | the value that Upload::resume is called on
    client::retry::an_upload_that_is_paused_at_any_time_continues_with_a_ping
R3.1.4.4-1 embedder | selection of the upload to cancel | the value that Upload::cancel is called on
    client::decisions::a35_an_upload_can_be_cancelled_until_it_has_ended

R3.1.5.1.4-1 enforced | a fragment's range starts at the offset and has the chosen length
    client::decisions::a41_a_plain_success_advances_to_its_offset
    client::fragments::the_largest_entity_ends_without_an_overflow
R3.1.5.1.8-1 embedder | fetching the reply | Poll::FetchReply requests it
    client::retry::the_reply_is_fetched_before_the_session_is_closed_and_retried
R3.1.5.2.1-1 embedder | answering a challenge, 401 or 407 | Poll::Credentials requests it; the packet is repeated
    client::retry::credentials_are_given_with_the_same_packet
R3.1.5.2.1-2 enforced | 403 is reported
    client::decisions::a33_every_status_and_code_has_its_effect
R3.1.5.2.1-3 enforced | 501 with access denied: uploads are not enabled
    client::decisions::a33_every_status_and_code_has_its_effect
    message::failures::every_status_code_and_context_has_its_class
R3.1.5.2.1-4 enforced | uploads that are not enabled are reported
    client::decisions::a33_every_status_and_code_has_its_effect
R3.1.5.2.1-5 enforced | session not found: begin with Create-Session | except when cancelling or closing again (A11)
    client::decisions::a33_every_status_and_code_has_its_effect
    client::decisions::a29_starting_over_is_counted_and_limited
    client::close::a11_a_session_that_is_gone_is_cancelled
R3.1.5.2.1-6 enforced | too large is reported
    client::decisions::a33_every_status_and_code_has_its_effect
R3.1.5.2.1-7 enforced | invalid argument is reported
    client::decisions::a33_every_status_and_code_has_its_effect
R3.1.5.2.1-8 departed | every other error code is reported | transient ones are retried first (A33)
    client::decisions::a33_every_status_and_code_has_its_effect
    client::retry::too_many_failures_suspend_with_the_reason_and_resuming_continues_at_the_servers_offset
R3.1.5.2.1-9 departed | every other status is reported | transient ones are retried first (A33)
    client::decisions::a33_every_status_and_code_has_its_effect
    client::retry::too_many_failures_suspend_with_the_reason_and_resuming_continues_at_the_servers_offset
R3.1.5.2.1-10 enforced | the request timer starts before a message is sent
    client::timers::a_request_that_cannot_be_sent_in_time_is_dropped
R3.1.5.2.1-11 enforced | the request timer stops after the last byte of the request
    client::timers::a_late_response_is_a_failure
R3.1.5.2.1-12 enforced | the response timer starts before the response
    client::timers::a_late_response_is_a_failure
R3.1.5.2.1-13 enforced | the response timer stops with any response
    client::timers::a_timer_is_stopped_by_the_response_and_by_the_caller

R3.1.5.2.2-1 enforced | an Ack for Create-Session is checked; discarded if invalid
    requirements::an_answer_that_breaks_the_rules_is_discarded
R3.1.5.2.2-2 enforced | the contents of the Ack for Create-Session are kept
    client::states::the_getters_report_what_happened
    requirements::every_packet_of_a_session_carries_the_id_it_was_issued
R3.1.5.2.2-3 enforced | further requests use the named host
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
    field::hosts::the_host_of_a_url_is_replaced_and_nothing_else
R3.1.5.2.2-4 enforced | a named host gets a Ping first
    client::decisions::a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection
R3.1.5.2.3-1 enforced | an Ack for a Ping is checked; discarded if invalid
    requirements::an_answer_that_breaks_the_rules_is_discarded
R3.1.5.2.4-1 enforced | an Ack for a Fragment is checked; discarded if invalid
    requirements::an_answer_that_breaks_the_rules_is_discarded
R3.1.5.2.4-2 enforced | the offset of an Ack is checked and becomes the next offset | with 200 and with 416
    observer::sequence::the_received_offset_lies_within_what_was_sent
    client::decisions::a18_a26_the_offset_comes_from_the_server_alone
    client::decisions::a26_an_impossible_offset_changes_nothing
R3.1.5.2.4-3 enforced | 413: shorter fragments
    client::fragments::fragments_are_halved_to_the_minimum_and_then_the_upload_fails
    client::fragments::the_length_that_was_sent_is_halved
R3.1.5.2.4-4 enforced | the server sends a reply URL with the last Ack
    server::work::the_reply_url_is_sent_from_the_last_fragment_on
R3.1.5.2.4-5 enforced | a missing reply URL is reported | Poll::ReplyMissing (A30)
    client::decisions::a30_a_reply_without_a_url_is_reported_and_the_session_can_be_closed
R3.1.5.2.5-1 enforced | an Ack for Close-Session is checked; discarded if invalid
    requirements::an_answer_that_breaks_the_rules_is_discarded
R3.1.5.2.6-1 enforced | an Ack for Cancel-Session is checked; discarded if invalid
    requirements::an_answer_that_breaks_the_rules_is_discarded

R3.1.6.3-1 enforced | after the fallback timeout all requests use the origin server
    client::timers::the_upload_falls_back_when_the_fallback_timer_expires
    client::fallback::a28_after_the_fallback_timeout_the_origin_server_is_used
";
