//! The requests of a notification, and the refusals that its errors become.

use crate::support::notifications;
use bits_proto::backend::{
    AcceptedStatuses, EventError, Notification, NotificationError, NotificationType, Outcome, Poll,
    Reply, Timeouts, Timer, reply_url,
};
use bits_proto::field::{
    OriginalRequestUrl, ReplyUrl, RequestDataFileName, ResponseDataFileName, StaticResponseUrl,
};
use bits_proto::http1::{StatusCode, StatusLine, Version};
use bits_proto::message::{Failure, NotificationRequest, NotificationResponse, NotifiedEntity};
use notifications::{FAILURES, LENGTH, NOW, URL, done, new, refusing, status, with_length};

/// An input that makes a notification fail.
type Fail = fn(&mut Notification) -> Result<(), EventError>;

/// A notification, the input that makes it fail, and the status and code for the client.
type Row = (Notification, Fail, u16, u32);

/// Returns status, code and context as numbers. The refusal has no session id and no offset.
fn in_numbers(error: NotificationError) -> (u16, Option<u32>, Option<u32>) {
    let refusal = error.refusal();
    assert_eq!((refusal.received(), refusal.session_id()), (None, None), "{error}");
    assert_eq!(refusal.status(), error.status());
    assert_eq!(refusal.code(), Some(error.code()));
    let context = refusal.context().map(|context| context.0);
    (refusal.status().get(), refusal.code().map(|code| code.get()), context)
}

fn after(mut it: Notification, calls: &[Fail]) -> Notification {
    for call in calls {
        done([call(&mut it)]);
    }
    it
}

fn fail_late(it: &mut Notification) -> Result<(), EventError> {
    it.handle_timeout(NOW + Timeouts::DEFAULT.send);
    Ok(())
}

/// Returns every failure in every state in which it can occur.
fn rows() -> Vec<Row> {
    let by_reference = new(NotificationType::ByReference);
    let by_value = new(NotificationType::ByValue);
    let headers: Fail = |it| it.handle_headers_sent(NOW);
    let data: Fail = |it| it.handle_data_sent(LENGTH, NOW);
    let sending = after(by_value, &[headers]);
    let waiting = after(by_value, &[headers, data]);
    let waiting_by_reference = after(by_reference, &[headers]);

    let forbidden: Fail = |it| it.handle_response(&refusing(403), NOW);
    let invalid: Fail = |it| it.handle_unreadable();
    let transport: Fail = |it| it.handle_transport_failure();
    let local: Fail = |it| it.handle_storage_failure();
    let rows = [
        (&[by_reference, by_value, sending][..], forbidden, 403, 0x8019_0193),
        (&[waiting, waiting_by_reference], forbidden, 403, 0x8019_0193),
        (&[waiting, waiting_by_reference], invalid, 411, 0x8007_0057),
        (&[by_reference, by_value, sending], transport, 502, 0x8019_01F6),
        (&[waiting, waiting_by_reference], transport, 502, 0x8019_01F6),
        (&[by_reference, by_value, sending], local, 500, 0x8019_01F4),
        (&[by_reference, by_value, sending], fail_late, 408, 0x8007_0112),
        (&[waiting, waiting_by_reference], fail_late, 408, 0x8007_0112),
    ];
    let each = |(from, fail, status, code): (&[Notification], Fail, u16, u32)| {
        from.iter().map(|it| (*it, fail, status, code)).collect::<Vec<_>>()
    };
    rows.into_iter().flat_map(each).collect()
}

#[test]
fn every_failure_is_reported_with_its_status_and_code() {
    for (mut it, fail, status, code) in rows() {
        let before = it;
        let Ok(Poll::Failed(error)) = fail(&mut it).map(|()| it.poll()) else {
            panic!("{before:?} did not fail")
        };
        assert_eq!(in_numbers(error), (status, Some(code), Some(7)), "{before:?}");
        assert_eq!(it.poll(), Poll::Failed(error), "{before:?}");
    }
}

#[test]
fn every_status_is_passed_on_except_a_success_and_416() {
    for code in 100..=999 {
        let mut it =
            new(NotificationType::ByReference).with_accepted_statuses(AcceptedStatuses::OnlyOk);
        done([it.handle_headers_sent(NOW)]);
        let step = it.handle_response(&refusing(code), NOW).map(|()| it.poll());
        if code == 200 {
            assert_eq!(step, Ok(Poll::FindReply));
            continue;
        }
        let Ok(Poll::Failed(error)) = step else { panic!("{code}: {step:?}") };
        assert_eq!(error, NotificationError::Application(status(code)));
        let passed = if code < 300 || code == 416 { 500 } else { code };
        let expected = (passed, Some(0x8019_0000 | u32::from(passed)), Some(7));
        assert_eq!(in_numbers(error), expected, "{code}");
    }
}

#[test]
fn a_client_retries_unless_the_application_rejected_the_entity() {
    let classes = FAILURES.map(|error| {
        let refusal = error.refusal();
        (error, Failure::of(refusal.status(), refusal.code(), refusal.context()))
    });
    for (error, class) in classes {
        let expected = match error {
            NotificationError::Timeout(_)
            | NotificationError::Transport
            | NotificationError::Storage => Failure::Transient,
            _ => Failure::Fatal,
        };
        assert_eq!(class, Some(expected), "{error}");
    }
}

#[test]
fn every_error_has_a_description() {
    let texts = FAILURES.map(|error| error.to_string());
    assert_eq!(
        texts,
        [
            "server application rejected the notification with status 403",
            "server application sent an invalid response",
            "send timer of the notification expired",
            "receive timer of the notification expired",
            "receive-response timer of the notification expired",
            "connection to the server application failed",
            "entity or reply could not be read or written",
        ]
    );
    assert_eq!(Timer::ALL.len(), 3);
}

#[test]
fn each_type_has_its_own_request() {
    let url = OriginalRequestUrl::try_from("http://origin.example/dir/entity").unwrap();
    let request = RequestDataFileName::try_from(r"C:\entities\1").unwrap();
    let response = ResponseDataFileName::try_from(r"C:\replies\1").unwrap();
    let messages = |kind| {
        let it = new(kind);
        (it.request_by_value(url), it.request_by_reference(url, request, response))
    };
    let message = |entity| Some(NotificationRequest { original_request_url: url, entity });
    let by_value = message(NotifiedEntity::ByValue { content_length: LENGTH });
    let by_reference = message(NotifiedEntity::ByReference { request, response });
    assert_eq!(messages(NotificationType::ByValue), (by_value, None));
    assert_eq!(messages(NotificationType::ByReference), (None, by_reference));
    assert_eq!(messages(NotificationType::None), (None, None));
}

#[test]
fn an_empty_static_url_counts_as_missing() {
    let line = StatusLine { status: StatusCode::OK, reason: "OK", version: Version::Http11 };
    for (url, reply, is_static) in [("", None, false), (URL, Some(URL), true)] {
        let fields = [
            ("Content-Length", &b"0"[..]),
            ("BITS-Static-Response-URL", url.as_bytes()),
            ("BITS-Copy-File-To-Destination", b""),
        ];
        let response = NotificationResponse::from_fields(line, fields).unwrap().message;
        let reply = reply.map(|url| ReplyUrl::try_from(url).unwrap());
        assert_eq!(reply_url(&response), reply);

        let mut it = new(NotificationType::ByReference);
        done([it.handle_headers_sent(NOW)]);
        let step = it.handle_response(&response, NOW).map(|()| it.poll()).unwrap();
        // The field requests the copy with any value, also with an empty one.
        let outcome = Outcome::new(true, Reply::Static);
        assert_eq!(step, if is_static { Poll::Complete(outcome) } else { Poll::FindReply });
    }
}

#[test]
fn every_static_url_is_a_reply_url() {
    let long = format!("https://app.example/{}", "x".repeat(5_000));
    let urls = [URL, "replies/1", r"..\replies\{1}", "x", "caf\u{e9}/1", "a b\tc", "?", &long].map(
        |url| StaticResponseUrl::try_from(url).unwrap_or_else(|error| panic!("{url}: {error}")),
    );
    for url in urls {
        let response = NotificationResponse { static_response_url: Some(url), ..with_length(0) };
        let reply = reply_url(&response).unwrap_or_else(|| panic!("{url:?}"));
        assert_eq!(reply.as_bytes(), url.as_bytes());
    }
}
