//! Messages that peers send, and messages sent to them.

pub const ROWS: &str = "
packet-type-any-case | packet types in any letter case | accepted
    fields::a_packet_type_is_read_in_every_letter_case
packet-type-spelling | packet types | written as Windows spells them
    conformance_gaps::every_request_says_what_it_is_and_how_long_its_body_is
    captures::the_conversations_are_written_as_they_were_read
field-name-any-case | field names in any letter case | accepted
    field_names::names_are_recognised_in_any_letter_case
field-name-spelling | field names | written as documented
    field_names::every_name_is_the_documented_one
    captures::the_conversations_are_written_as_they_were_read
package-type-unread | BITS-Package-Type, a misprint | ignored
    field_names::names_of_nothing_are_not_recognised
    conformance_gaps::fields_that_nobody_knows_change_nothing
package-type-unwritten | BITS-Package-Type, a misprint | not written
    presence_messages::the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table

method-other | another method | rejected by default
    errors::of_several_flaws_the_earliest_is_reported
method-override | POST with X-HTTP-Method-Override | accepted by policy, with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
method-plain-post | plain POST | accepted by policy, with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
method-stacks | HTTP stacks that reject the verb | listed in the documentation
    conformance_gaps::the_readme_names_the_stacks_that_refuse_the_verb

protocols-separators | spaces, tabs and commas in any sequence | accepted
    field_ids::items_stand_between_spaces_tabs_and_commas
protocols-empty-items | empty items | ignored
    field_ids::items_stand_between_spaces_tabs_and_commas
protocols-as-numbers | GUIDs in either letter case | compared as 128 bits
    field_ids::a_protocol_is_a_guid field_ids::every_digit_of_a_guid_counts
protocols-unbraced | GUIDs without braces | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
protocols-over-100 | more than 100 protocols | the rest is ignored
    field_ids::at_most_100_protocols_are_read
protocols-written | the one known protocol | written in braces and lower case
    field_ids::a_list_to_be_sent_has_1_to_100_protocols
    captures::the_conversations_are_written_as_they_were_read
protocols-joined | the list spread over several fields | joined, with a deviation
    field_ids::a_list_may_be_spread_over_four_fields

session-id-length | ids of 1 to 100 visible bytes | accepted; others are rejected
    field_ids::a_session_id_is_1_to_100_visible_bytes field_ids::every_other_session_id_is_refused
session-id-opaque | ids other than GUIDs: numbers, base64, escapes | kept as bytes
    field_ids::a_session_id_is_1_to_100_visible_bytes
    field_ids::what_is_no_guid_is_compared_byte_for_byte
session-id-issued | ids issued by this crate | an upper-case GUID in braces, 122 random bits
    field_ids::a_guid_is_issued_in_braces_and_capitals field_ids::random_bytes_give_122_bits

created-read | 201 for Create-Session and Close-Session | a success
    conformance_gaps::created_is_a_success_where_it_is_documented_and_ok_is_written
created-unwritten | 201 | never written
    conformance_gaps::created_is_a_success_where_it_is_documented_and_ok_is_written
protocol-not-offered | BITS-Protocol that was not offered | an error at the client
    observer::the_protocol_is_one_that_was_offered
    errors::every_kind_says_what_it_should
    conformance_sequence::an_answer_that_breaks_the_rules_is_discarded
protocol-absent | no BITS-Protocol after an offer of one | the offered one, with a deviation
    answers::a_session_is_created_with_what_was_offered
    deviations::each_is_recorded_alone_and_not_for_its_neighbour

range-unit | the unit of Content-Range in any letter case | accepted, and written as bytes
    fields::a_content_range_is_read_and_written
range-outer-space | additional white space after the unit | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
range-inner-space | white space inside the numbers | rejected
    fields::a_content_range_of_another_shape_is_refused
range-equals-sign | an equals sign after the unit | rejected
    fields::a_content_range_of_another_shape_is_refused
range-leading-zeros | leading zeros | accepted
    fields::a_content_range_is_read_and_written

name-any-packet | Content-Name on any packet | accepted
    presence::the_table_is_the_specification_but_where_it_says_why_not
    presence_messages::a_complete_message_has_every_field_it_carries_and_nothing_unusual
    conformance_gaps::a_name_is_written_only_if_it_was_given
name-opaque | names in any encoding | kept as bytes
    field_texts::opaque_values_come_back_byte_for_byte
name-long | names over 260 bytes | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
name-no-path | names with path syntax | never used as a path
    conformance_sequence::a_name_changes_nothing_about_a_session
name-safe | names with a special meaning in file systems | ContentName::is_safe detects them
    field_texts::names_with_a_meaning_to_a_file_system_are_not_safe
    field_texts::device_names_are_not_safe field_texts::plain_names_are_safe
encoding-identity | Content-Encoding absent or identity | accepted
    presence::the_table_is_the_specification_but_where_it_says_why_not
    fields::the_only_encoding_is_identity
    presence_messages::a_message_is_accepted_without_an_optional_field
encoding-other | any other Content-Encoding | 400
    errors::a_flaw_in_a_value_is_reported_at_its_byte_of_the_head
    refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument

body-unexpected | a body on a packet without one | 400
    conformance_gaps::a_body_on_a_packet_that_has_none_is_refused
body-skipped | a body on such a packet, lenient policy | up to 4 KiB are ignored, with a deviation
    conformance_gaps::a_body_on_a_packet_that_has_none_is_refused
duplicate-equal | a repeated field with equal values | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
duplicate-conflicting | a repeated field with different values | 400
    errors::every_kind_says_what_it_should
    refusals::every_error_of_the_peers_is_answered_with_an_invalid_argument

received-digits | an offset with other characters than digits | rejected
    fields::an_offset_is_digits fields::no_other_byte_is_a_digit
received-absent | no offset in a success | the end of the sent range, with a deviation
    answers::an_offset_that_is_left_out_is_the_end_of_what_was_sent
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
received-absent-416 | no offset in a 416 | an error: no offset to continue at
    errors::every_kind_says_what_it_should
    conformance_sequence::an_answer_that_breaks_the_rules_is_discarded
received-misspelt | BITS-Recieved-Content-Range | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour

code-prefix | codes with prefix 0x, 0X, x or none | accepted
    field_codes::a_code_is_read_with_every_prefix
code-digits | codes of 1 to 8 hexadecimal digits | accepted; others are rejected
    field_codes::a_code_is_read_with_every_prefix
    field_codes::a_code_that_is_not_hexadecimal_is_refused
code-written | codes | written as 0x and 8 digits
    field_codes::a_code_is_written_with_eight_digits
code-zero | a code of 0 | no error
    field_codes::zero_is_no_error_and_an_empty_value_is_none
    refusals::of_two_error_fields_the_first_that_is_there_counts
code-empty | an empty code | treated as absent
    field_codes::zero_is_no_error_and_an_empty_value_is_none
    refusals::of_two_error_fields_the_first_that_is_there_counts
context-prefix | contexts | same syntax as codes
    field_codes::a_code_is_read_with_every_prefix
context-unknown | contexts other than 5 and 7 | kept, with a deviation
    refusals::of_two_error_fields_the_first_that_is_there_counts
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
code-beside-416 | a code in a 416 | the 416 takes precedence
    answers::out_of_sync_goes_on_at_the_offset_up_to_the_total
    refusals::every_status_and_code_has_its_class

reply-relative | relative reply URLs | resolved against the destination
    field_urls::a_relative_reply_lies_beside_the_destination
reply-backslashes | backslashes in reply URLs | replaced by slashes
    field_urls::a_relative_reply_lies_beside_the_destination
reply-braces | braces and other characters not allowed in URLs | percent-encoded
    field_urls::bytes_that_a_url_cannot_hold_are_encoded
reply-dots | dot segments | removed
    field_urls::dot_segments_are_removed
reply-other-origin | another origin | flagged
    field_urls::every_other_origin_is_flagged
reply-other-scheme | schemes other than http and https | rejected
    field_urls::a_url_with_a_scheme_is_absolute_and_http
reply-empty | an empty reply URL | treated as absent
    deviations::each_is_recorded_alone_and_not_for_its_neighbour

host-forms | a name, an IPv4 or an IPv6 address | accepted
    field_hosts::a_host_is_a_name_or_an_address
host-brackets | an IPv6 address in a URL | written in brackets
    field_hosts::the_host_of_a_url_is_replaced_and_nothing_else
host-port | a host with a port | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
host-more | a host with a path, a query or user information | rejected
    field_hosts::what_is_no_host_alone_is_refused
host-timeout | the timeout of a host in decimal seconds | accepted; others are rejected
    fields::a_timeout_is_seconds_in_32_bits
host-timeout-absent | a host without a timeout | the client never returns to the origin server
    client_fallback::a28_a_host_without_a_timeout_is_never_left

http-1-0-request | an HTTP/1.0 request | rejected
    errors::of_several_flaws_the_earliest_is_reported
http-1-0-answer | an HTTP/1.0 response | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
notification-names | DataFile in captures, DataEntity in the text | both are accepted
    field_names::names_are_recognised_in_any_letter_case
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
notification-names-written | DataFile in captures, DataEntity in the text | DataFile is written
    conformance_gaps::a_notification_has_the_fields_and_the_length_of_its_kind
notification-length | no length in an application's response | accepted with a deviation
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
    backend::by_value_the_reply_is_the_body
";
