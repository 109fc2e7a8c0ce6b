//! [MC-BUP] 3.3 and 3.4: the back-end client and the server application.

pub const ROWS: &str = "
R3.3.1.1-1 host | the URL of the application | the target of the notification's encode
    conformance_gaps::a_notification_has_the_fields_and_the_length_of_its_kind
R3.3.1.1-2 host | the destination URL comes from the server | given to the message of the notification
    backend_refusals::each_kind_has_its_own_message_and_no_other
R3.3.1.1-3 host | the entity's path comes from the server | given to Notification::request_by_reference
    backend_refusals::each_kind_has_its_own_message_and_no_other

R3.3.5.1-1 enforced | the send timer starts before anything is sent
    backend_timers::every_step_names_the_deadline_of_its_timer
R3.3.5.1-2 enforced | the send timer stops when all was sent
    backend_timers::every_step_names_the_deadline_of_its_timer
    backend_timers::by_reference_the_receive_timers_start_with_the_head
R3.3.5.1-3 enforced | the receive timer starts before the response
    backend_timers::every_step_names_the_deadline_of_its_timer
    backend_timers::a_timer_expires_at_its_deadline_and_later_but_once
R3.3.5.1-4 enforced | the receive timer stops with the end of the response
    backend_timers::no_timer_runs_when_nothing_is_sent_or_received
    backend_timers::a_response_that_has_come_cannot_time_out
R3.3.5.1-5 enforced | the timer of the response's head starts before it
    backend_timers::every_step_names_the_deadline_of_its_timer
    backend_timers::a_timer_expires_at_its_deadline_and_later_but_once
R3.3.5.1-6 enforced | that timer stops when the head is there
    backend_timers::every_step_names_the_deadline_of_its_timer
    backend_timers::no_timer_runs_when_nothing_is_sent_or_received
R3.3.5.2.6-1 host | the reply's URL works | the host makes it of what Outcome::reply says
    backend::by_value_the_reply_is_the_body backend::by_reference_the_reply_is_the_file
R3.3.5.3.1-1 enforced | what the client is told is an HTTP response
    conformance_gaps::every_refusal_is_an_http_response_without_a_body
R3.3.5.3.1-2 enforced | what the client is told has no body
    conformance_gaps::every_refusal_is_an_http_response_without_a_body
R3.3.5.3.2-1 enforced | a response is checked before anything else
    conformance_sequence::an_application_whose_answer_cannot_be_read_is_reported_with_411
R3.3.5.3.2-2 departed | the version of a response is 1.1 | 1.0 is read with a remark: it can mean only one thing
    deviations::each_is_recorded_alone_and_not_for_its_neighbour
R3.3.5.3.2-3 enforced | the fields of a response are checked
    conformance_sequence::an_application_whose_answer_cannot_be_read_is_reported_with_411
    conformance_gaps::a_notification_that_contradicts_itself_is_refused
    answers::an_interim_response_answers_nothing
R3.3.5.3.2-4 enforced | an invalid response: 411, invalid argument
    conformance_sequence::an_application_whose_answer_cannot_be_read_is_reported_with_411
    backend_refusals::every_failure_is_reported_with_its_status_and_code
R3.3.6.1-1 enforced | sent too late: 408, the printed code for a full disk, context 7
    backend_timers::a_timer_expires_at_its_deadline_and_later_but_once
R3.3.6.2-1 enforced | received too late: 408 and the rest as well
    backend_timers::a_timer_expires_at_its_deadline_and_later_but_once
R3.3.6.3-1 enforced | the head received too late: 408 and the rest as well
    backend_timers::a_timer_expires_at_its_deadline_and_later_but_once

R3.4.5.1-1 enforced | an application's refusals are HTTP responses | NotificationResponse writes them
    conformance_gaps::every_refusal_is_an_http_response_without_a_body
R3.4.5.1-2 enforced | an application's refusals have no body | unless the application says how long it is
    conformance_gaps::every_refusal_is_an_http_response_without_a_body
R3.4.5.2-1 enforced | a notification is checked before anything else
    conformance_gaps::a_notification_of_another_version_is_refused
R3.4.5.2-2 enforced | the version of a notification is 1.1
    conformance_gaps::a_notification_of_another_version_is_refused
R3.4.5.2-3 enforced | the fields of a notification are checked
    presence::the_table_is_the_specification_but_where_it_says_why_not
    presence_messages::a_message_is_refused_without_a_required_field
    errors::a_missing_field_is_reported_at_the_end_of_the_head
    conformance_gaps::a_notification_that_contradicts_itself_is_refused
R3.4.5.2-4 host | an invalid notification is answered with a failure | NotificationResponse::status is the application's
    answers::only_200_is_a_success_of_the_server_application
R3.4.5.2-5 host | an application that wants the entity at its URL says so | copy_file_to_destination
    backend::by_reference_the_reply_is_the_file
R3.4.5.2-6 host | by reference: the entity is processed, the reply named | NotificationResponse has room for it
    backend::by_reference_the_reply_is_the_file backend::by_reference_a_static_url_is_the_reply
R3.4.5.2-7 host | errors on the way are sent | as the status of its NotificationResponse
    backend_refusals::every_status_is_passed_on_but_a_success_and_416
R3.4.5.2-8 host | by value: the entity is read from the body | ByValue says how many bytes
    conformance_gaps::a_notification_has_the_fields_and_the_length_of_its_kind
R3.4.5.2-9 host | by value: the reply is named | NotificationResponse has room for it
    backend::by_value_the_reply_is_the_body
    backend::by_value_a_body_beside_a_static_url_is_thrown_away
R3.4.5.2-10 host | errors on the way are sent | as the status of its NotificationResponse
    backend_refusals::every_status_is_passed_on_but_a_success_and_416
";
