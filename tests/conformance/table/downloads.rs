//! [MC-BUP] 3.5 and 3.6: downloads.

pub const ROWS: &str = "
R3.5.4.1-1 embedder | the caller provides content and length | as the metadata of each plan
    download::plan::the_whole_entity_is_sent_with_its_metadata
R3.5.4.1-2 embedder | content and length are replaced together | a plan describes one version
    download::random::ten_thousand_downloads_end_with_the_bytes_of_one_version
R3.5.4.1-3 embedder | the date of a change is the time of the change | the date of the open file
    download::plan::the_whole_entity_is_sent_with_its_metadata
R3.5.5-1 enforced | requests and responses follow HTTP
    download::plan::conditions_are_evaluated_in_the_order_of_http
    download::responses::heads_from_bytes_and_from_pairs_give_equal_messages
R3.5.5-2 enforced | GET and HEAD
    download::plan::head_is_answered_like_get_without_a_body
    download::responses::other_methods_are_not_downloads
R3.5.5-3 enforced | one range
    download::plan::one_range_is_sent_plain
    download::field::range::a_range_is_resolved_against_the_length_of_the_entity
R3.5.5-4 enforced | several ranges
    download::plan::several_ranges_are_sent_as_parts_in_the_order_of_the_request
R3.5.5-5 enforced | every success states its length
    download::plan::the_whole_entity_is_sent_with_its_metadata
    download::plan::head_is_answered_like_get_without_a_body
R3.5.5.1-1 enforced | ranges are validated
    download::plan::an_ignored_range_gives_the_whole_entity
    download::plan::ranges_that_the_entity_does_not_have_are_answered_with_its_length
    download::field::range::an_invalid_list_of_ranges_is_rejected_as_a_whole
R3.5.5.1-2 enforced | the bytes are those of the ranges | the embedder reads the ranges of the plan
    download::plan::a_client_reads_exactly_the_requested_ranges
R3.5.5.1-3 enforced | Last-Modified is the date of the entity | absent if the embedder has no date
    download::plan::the_whole_entity_is_sent_with_its_metadata
R3.5.5.1-4 enforced | ranges keep their order and are not merged
    download::plan::several_ranges_are_sent_as_parts_in_the_order_of_the_request
    download::plan::a_client_reads_exactly_the_requested_ranges
R3.5.5.2-1 enforced | HEAD is answered like GET without a body
    download::plan::head_is_answered_like_get_without_a_body

R3.6.1-1 enforced | one range with the whole entity
    download::client::requests::the_length_is_asked_for_first_and_then_the_whole_entity
R3.6.1-2 embedder | the form of credentials | the embedder sends them
    download::client::failures::credentials_are_asked_for_and_the_request_repeated
R3.6.3-1 embedder | the client of the peer cache is started | Poll::Search
    download::client::peers::ranges_that_peers_have_are_fetched_from_them
R3.6.4.1-1 enforced | pausing | the request is dropped at once
    download::client::versions::an_entity_that_changed_is_downloaded_again_from_its_start
    download::client::commands::illegal_inputs_change_nothing
R3.6.4.2-1 enforced | resuming continues with HEAD or GET
    download::client::failures::bytes_that_could_not_be_stored_are_requested_again
    download::client::failures::transient_failures_are_retried_and_redirects_fail
R3.6.5.1-1 enforced | the request timer starts with the request
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
R3.6.5.1-2 enforced | the request timer stops when all is sent
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
R3.6.5.1-3 enforced | the response timer starts then
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
R3.6.5.1-4 enforced | the response timer ends with the response | it starts again with every byte
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
R3.6.5.2.1-1 enforced | with peers the length is asked for first
    download::client::peers::ranges_that_peers_have_are_fetched_from_them
R3.6.5.2.1-2 enforced | without peers HEAD or GET is first | an option, HEAD by default
    download::client::requests::the_length_is_asked_for_first_and_then_the_whole_entity
    download::client::failures::the_rest_is_requested_after_a_broken_connection
R3.6.5.2.4-1 enforced | the download ends with its last byte
    download::client::ranges::several_ranges_are_stored_one_after_the_other
    download::client::requests::an_empty_entity_needs_no_get
R3.6.5.2.4.1-1 enforced | peers are searched again three times
    download::client::peers::ranges_that_peers_have_are_fetched_from_them
R3.6.5.2.4.2-1 enforced | no Range for the whole entity
    download::client::requests::the_length_is_asked_for_first_and_then_the_whole_entity
R3.6.5.2.4.2-2 enforced | single ranges after an invalid response with several
    download::client::ranges::single_ranges_are_requested_where_several_do_not_work
R3.6.5.2.4.3-1 enforced | all ranges are one sequence of bytes
    download::ranges::chosen_ranges_are_the_next_bytes_of_all_ranges
R3.6.5.2.4.3-2 enforced | a request ends at its length
    download::ranges::chosen_ranges_are_the_next_bytes_of_all_ranges
    download::client::requests::requests_are_limited_in_length_and_in_the_number_of_ranges
R3.6.5.2.4.3-3 enforced | a request ends at the last byte
    download::ranges::chosen_ranges_are_the_next_bytes_of_all_ranges
R3.6.5.2.4.3-4 enforced | the ranges between offset and end are requested
    download::ranges::chosen_ranges_are_the_next_bytes_of_all_ranges
R3.6.5.2.4.3-5 enforced | the example of the specification | also an example in the documentation
    download::ranges::the_examples_of_the_specification_give_their_ranges
R3.6.5.2.4.4-1 enforced | a request has ranges of one source
    download::client::peers::ranges_that_peers_have_are_fetched_from_them
R3.6.5.3-1 enforced | 200 and 206 continue the download
    download::client::failures::the_rest_is_requested_after_a_broken_connection
R3.6.5.3-2 enforced | 401 and 407 ask for credentials
    download::client::failures::credentials_are_asked_for_and_the_request_repeated
R3.6.5.3-3 departed | other statuses end the download | transient ones are retried first
    download::client::failures::transient_failures_are_retried_and_redirects_fail
R3.6.6.1-1 departed | a late request suspends the download | it is retried first
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
R3.6.6.2-1 departed | a late response suspends the download | it is retried first
    download::client::failures::timers_limit_the_request_and_every_pause_of_the_response
";
