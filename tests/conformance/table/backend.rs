//! [MC-BUP] 3.3 and 3.4: the back-end client and the server application.

pub const ROWS: &str = "
R3.3.1.1-1 embedder | URL of the application | the request target given to the notification's encode
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R3.3.1.1-2 embedder | the server provides the destination URL | parameter of the notification
    backend::refusals::each_type_has_its_own_request
R3.3.1.1-3 embedder | the server provides the path of the entity | argument of Notification::request_by_reference
    backend::refusals::each_type_has_its_own_request

R3.3.5.1-1 enforced | the send timer starts before anything is sent
    backend::timers::every_action_has_the_deadline_of_its_timer
R3.3.5.1-2 enforced | the send timer stops after the last byte
    backend::timers::every_action_has_the_deadline_of_its_timer
    backend::timers::by_reference_the_receive_timers_start_with_the_head
R3.3.5.1-3 enforced | the receive timer starts before the response
    backend::timers::every_action_has_the_deadline_of_its_timer
    backend::timers::a_timer_expires_once_at_its_deadline_or_later
R3.3.5.1-4 enforced | the receive timer stops at the end of the response
    backend::timers::no_timer_runs_when_nothing_is_sent_or_received
    backend::timers::a_received_response_cannot_time_out
R3.3.5.1-5 enforced | the response-head timer starts before the response
    backend::timers::every_action_has_the_deadline_of_its_timer
    backend::timers::a_timer_expires_once_at_its_deadline_or_later
R3.3.5.1-6 enforced | the response-head timer stops after the head
    backend::timers::every_action_has_the_deadline_of_its_timer
    backend::timers::no_timer_runs_when_nothing_is_sent_or_received
R3.3.5.2.6-1 embedder | the URL of the reply is valid | the embedder derives it from Outcome::reply
    backend::states::by_value_the_reply_is_the_body backend::states::by_reference_the_reply_is_the_file
R3.3.5.3.1-1 enforced | the answer to the client is an HTTP response
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.3.5.3.1-2 enforced | the answer to the client has no body
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.3.5.3.2-1 enforced | a response is checked before anything else
    requirements::an_application_whose_answer_cannot_be_read_is_reported_with_411
R3.3.5.3.2-2 departed | version of a response is 1.1 | 1.0 is unambiguous: accepted with a deviation
    deviation::each_deviation_is_recorded_alone_and_only_for_its_message
R3.3.5.3.2-3 enforced | the fields of a response are checked
    requirements::an_application_whose_answer_cannot_be_read_is_reported_with_411
    message::requirements::a_notification_that_contradicts_itself_is_refused
    message::ack::an_interim_response_answers_nothing
R3.3.5.3.2-4 enforced | an invalid response: 411, invalid argument
    requirements::an_application_whose_answer_cannot_be_read_is_reported_with_411
    backend::refusals::every_failure_is_reported_with_its_status_and_code
R3.3.6.1-1 enforced | send timeout: 408, the documented code for a full disk, context 7
    backend::timers::a_timer_expires_once_at_its_deadline_or_later
R3.3.6.2-1 enforced | receive timeout: the same status, code and context
    backend::timers::a_timer_expires_once_at_its_deadline_or_later
R3.3.6.3-1 enforced | response-head timeout: the same status, code and context
    backend::timers::a_timer_expires_once_at_its_deadline_or_later

R3.4.5.1-1 enforced | an application's refusals are HTTP responses | NotificationResponse writes them
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.4.5.1-2 enforced | an application's refusals have no body | unless the application sets a length
    message::requirements::every_refusal_is_an_http_response_without_a_body
R3.4.5.2-1 enforced | a notification is checked before anything else
    message::requirements::a_notification_of_another_version_is_refused
R3.4.5.2-2 enforced | the version of a notification is 1.1
    message::requirements::a_notification_of_another_version_is_refused
R3.4.5.2-3 enforced | the fields of a notification are checked
    message::presence::the_table_matches_the_specification_except_for_listed_deviations
    message::presence_messages::a_message_is_refused_without_a_required_field
    error::a_missing_field_is_reported_at_the_end_of_the_head
    message::requirements::a_notification_that_contradicts_itself_is_refused
R3.4.5.2-4 embedder | an invalid notification is answered with a failure | NotificationResponse::status, set by the application
    message::ack::every_2xx_is_a_success_of_the_server_application
R3.4.5.2-5 embedder | an application requests the entity at its destination | copy_file_to_destination
    backend::states::by_reference_the_reply_is_the_file
R3.4.5.2-6 embedder | by reference: the entity is processed, the reply named | fields of NotificationResponse
    backend::states::by_reference_the_reply_is_the_file backend::states::by_reference_a_static_url_is_the_reply
R3.4.5.2-7 embedder | processing errors are sent | as the status of NotificationResponse
    backend::refusals::every_status_is_passed_on_except_a_success_and_416
R3.4.5.2-8 embedder | by value: the entity is read from the body | ByValue gives its length
    message::requirements::a_notification_has_the_fields_and_the_length_of_its_kind
R3.4.5.2-9 embedder | by value: the reply is named | fields of NotificationResponse
    backend::states::by_value_the_reply_is_the_body
    backend::states::by_value_a_body_beside_a_static_url_is_discarded
R3.4.5.2-10 embedder | processing errors are sent | as the status of NotificationResponse
    backend::refusals::every_status_is_passed_on_except_a_success_and_416
";
