//! The fields that every response with the entity must have.

use super::{Fields, NONE, OLD, exchange, ranges};

#[test]
fn a_response_must_have_length_and_date() {
    let date = ("Last-Modified", OLD);
    for method in ["GET", "HEAD"] {
        let response = |status, fields: Fields<'_>| exchange((method, &[]), (status, fields));
        assert_eq!(response(200, &[date, ("Content-Length", "5")]), NONE);
        assert_eq!(response(200, &[date]), ["download-without-length"]);
        let chunked = [date, ("Transfer-Encoding", "chunked")];
        assert_eq!(response(200, &chunked), ["download-without-length"]);
        assert_eq!(response(200, &[("Content-Length", "5")]), ["download-without-date"]);
        assert_eq!(response(404, &[]), NONE);
        assert_eq!(response(304, &[]), NONE);
    }
}

#[test]
fn the_body_must_not_be_encoded_for_a_client_that_accepts_only_identity() {
    let fields = [("Last-Modified", OLD), ("Content-Length", "5"), ("Content-Encoding", "gzip")];
    let identity = [("Accept-Encoding", "identity")];
    assert_eq!(exchange(("GET", &identity), (200, &fields)), ["unrequested-coding"]);
    assert_eq!(exchange(("GET", &identity), (200, &fields[..2])), NONE);
    for accepted in [&[][..], &[("Accept-Encoding", "gzip, identity")]] {
        assert_eq!(exchange(("GET", accepted), (200, &fields)), NONE);
    }
}

#[test]
fn invalid_responses_are_errors_of_the_message() {
    let length = [("Content-Length", "10")];
    assert_eq!(ranges("bytes=0-9", 206, &length), ["missing-field"]);
}
