//! Messages that peers send, and messages sent to them.

pub const ROWS: &str = "
packet-type-any-case | packet types in any letter case | accepted
    field::numbers::a_packet_type_is_read_in_every_letter_case
packet-type-spelling | packet types | written as Windows spells them
    message::requirements::every_request_has_a_packet_type_and_a_content_length
    message::captures::the_conversations_are_written_as_they_were_read
field-name-any-case | field names in any letter case | accepted
    field::names::names_are_recognised_in_any_letter_case
field-name-spelling | field names | written as documented
    field::names::every_name_is_the_documented_one
    message::captures::the_conversations_are_written_as_they_were_read
package-type-unread | BITS-Package-Type, a misprint | ignored
    field::names::unknown_names_are_not_recognised
    message::requirements::unknown_fields_change_nothing
package-type-unwritten | BITS-Package-Type, a misprint | not written
    message::presence_messages::the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table

method-other | another method | rejected by default
    error_order::the_error_of_the_earliest_stage_is_reported
method-override | POST with X-HTTP-Method-Override | accepted by policy, with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
method-plain-post | plain POST | accepted by policy, with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
method-stacks | HTTP stacks that reject the verb | listed in the documentation
    message::requirements::the_guide_names_the_stacks_that_reject_the_method

protocols-separators | spaces, tabs and commas in any sequence | accepted
    field::ids::items_are_separated_by_spaces_tabs_and_commas
protocols-empty-items | empty items | ignored
    field::ids::items_are_separated_by_spaces_tabs_and_commas
protocols-as-numbers | GUIDs in either letter case | compared as 128 bits
    field::ids::a_protocol_is_a_guid field::ids::every_digit_of_a_guid_counts
protocols-unbraced | GUIDs without braces | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
protocols-over-100 | more than 100 protocols | the rest is ignored
    field::ids::at_most_100_protocols_are_read
protocols-written | the one known protocol | written in braces and lower case
    field::ids::a_list_to_be_sent_has_1_to_100_protocols
    message::captures::the_conversations_are_written_as_they_were_read
protocols-joined | the list spread over several fields | joined, with a deviation
    field::ids::a_list_may_be_spread_over_four_fields

session-id-length | ids of 1 to 100 visible bytes | accepted; others are rejected
    field::ids::a_session_id_is_1_to_100_visible_bytes field::ids::every_other_session_id_is_refused
session-id-opaque | ids other than GUIDs: numbers, base64, escapes | kept as bytes
    field::ids::a_session_id_is_1_to_100_visible_bytes
    field::ids::ids_that_are_not_guids_are_compared_byte_for_byte
session-id-issued | ids issued by this crate | an upper-case GUID in braces, 122 random bits, 90 with a MemoryStore
    field::ids::a_guid_is_issued_in_braces_and_capitals field::ids::random_bytes_give_122_bits
    server::memory_store::ids_contain_the_number_of_the_next_slot

created-read | 201 for Create-Session and Close-Session | a success
    message::requirements::created_is_a_success_where_it_is_documented_and_ok_is_written
created-unwritten | 201 | never written
    message::requirements::created_is_a_success_where_it_is_documented_and_ok_is_written
protocol-not-offered | BITS-Protocol that was not offered | an error at the client
    observer::sequence::the_protocol_is_one_that_was_offered
    error::every_kind_has_the_expected_properties
    requirements::an_answer_that_breaks_the_rules_is_discarded
protocol-absent | no BITS-Protocol after an offer of one | the offered one, with a deviation
    message::ack::a_session_uses_an_offered_protocol
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message

range-unit | the unit of Content-Range in any letter case | accepted, and written as bytes
    field::numbers::a_content_range_is_read_and_written
range-outer-space | additional white space after the unit | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
range-inner-space | white space inside the numbers | rejected
    field::numbers::a_content_range_with_invalid_syntax_is_rejected
range-equals-sign | an equals sign after the unit | rejected
    field::numbers::a_content_range_with_invalid_syntax_is_rejected
range-leading-zeros | leading zeros | accepted
    field::numbers::a_content_range_is_read_and_written

name-any-packet | Content-Name on any packet | accepted
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_complete_message_has_every_field_and_no_deviation
    message::requirements::a_name_is_written_only_if_it_was_given
name-opaque | names in any encoding | kept as bytes
    field::texts::opaque_values_are_unchanged
name-long | names over 260 bytes | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
name-no-path | names with path syntax | never used as a path
    requirements::a_name_changes_nothing_about_a_session
name-safe | names with a special meaning in file systems | ContentName::is_safe detects them
    field::texts::names_that_are_special_to_a_file_system_are_not_safe
    field::texts::device_names_are_not_safe field::texts::plain_names_are_safe
encoding-identity | Content-Encoding absent or identity | accepted
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    field::numbers::the_only_encoding_is_identity
    message::presence_messages::a_message_is_accepted_without_an_optional_field
encoding-other | any other Content-Encoding | 400
    error::an_error_in_a_value_is_reported_at_its_byte_of_the_head
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument

body-unexpected | a body on a packet without one | 400
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
body-skipped | a body on such a packet, lenient policy | up to 4 KiB are ignored, with a deviation
    message::requirements::a_body_on_a_packet_that_has_none_is_refused
duplicate-equal | a repeated field with equal values | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
duplicate-conflicting | a repeated field with different values | 400
    error::every_kind_has_the_expected_properties
    message::refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument

received-digits | an offset with other characters than digits | rejected
    field::numbers::an_offset_is_digits field::numbers::no_other_byte_is_a_digit
received-absent | no offset in a success | the end of the sent range, with a deviation
    message::ack::a_missing_offset_is_the_end_of_the_fragment
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
received-absent-416 | no offset in a 416 | an error: no offset to continue at
    error::every_kind_has_the_expected_properties
    requirements::an_answer_that_breaks_the_rules_is_discarded
received-misspelt | BITS-Recieved-Content-Range | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message

code-prefix | codes with prefix 0x, 0X, x or none | accepted
    field::codes::a_code_is_read_with_every_prefix
code-digits | codes of 1 to 8 hexadecimal digits | accepted; others are rejected
    field::codes::a_code_is_read_with_every_prefix
    field::codes::a_code_that_is_not_hexadecimal_is_refused
code-written | codes | written as 0x and 8 digits
    field::codes::a_code_is_written_with_eight_digits
code-zero | a code of 0 | no error
    field::codes::zero_and_empty_values_mean_no_error
    message::response_status::the_first_error_field_present_is_used
code-empty | an empty code | treated as absent
    field::codes::zero_and_empty_values_mean_no_error
    message::response_status::the_first_error_field_present_is_used
context-prefix | contexts | same syntax as codes
    field::codes::a_code_is_read_with_every_prefix
context-unknown | contexts other than 5 and 7 | kept, with a deviation
    message::response_status::the_first_error_field_present_is_used
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
code-beside-416 | a code in a 416 | the 416 takes precedence
    message::ack::an_out_of_sync_offset_is_valid_up_to_the_total
    message::failures::every_status_code_and_context_has_its_class

reply-relative | relative reply URLs | resolved against the destination
    field::urls::a_relative_reply_url_is_resolved_in_the_directory_of_the_destination
reply-backslashes | backslashes in reply URLs | replaced by slashes
    field::urls::a_relative_reply_url_is_resolved_in_the_directory_of_the_destination
reply-braces | braces and other characters not allowed in URLs | percent-encoded
    field::urls::bytes_that_a_url_may_not_contain_are_encoded
reply-dots | dot segments | removed
    field::urls::dot_segments_are_removed
reply-other-origin | another origin | flagged
    field::urls::every_other_origin_is_flagged
reply-other-scheme | schemes other than http and https | rejected
    field::urls::a_url_with_a_scheme_is_absolute_and_http
reply-empty | an empty reply URL | treated as absent
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message

host-forms | a name, an IPv4 or an IPv6 address | accepted
    field::hosts::a_host_is_a_name_or_an_address
host-brackets | an IPv6 address in a URL | written in brackets
    field::hosts::the_host_of_a_url_is_replaced_and_nothing_else
host-port | a host with a port | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
host-more | a host with a path, a query or user information | rejected
    field::hosts::a_value_that_is_not_only_a_host_is_rejected
host-timeout | the timeout of a host in decimal seconds | accepted; others are rejected
    field::numbers::a_timeout_is_seconds_in_32_bits
host-timeout-absent | a host without a timeout | the client never returns to the origin server
    client::fallback::a28_without_a_fallback_timeout_the_host_is_kept

http-1-0-request | an HTTP/1.0 request | rejected
    error_order::the_error_of_the_earliest_stage_is_reported
http-1-0-answer | an HTTP/1.0 response | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
notification-names | DataFile in captures, DataEntity in the text | both are accepted
    field::names::names_are_recognised_in_any_letter_case
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
notification-names-written | DataFile in captures, DataEntity in the text | DataFile is written
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
notification-length | no length in an application's response | accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
    backend::states::by_value_the_reply_is_the_body
";
