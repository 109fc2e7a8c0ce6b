//! Reading of responses and of the fields of requests.

use bits_proto::Error;
use bits_proto::download::{
    ByteRange, HeaderSlots, Method, Request, RequestHead, Response, ResponseHead,
};
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::http1::{Progress, RequestLine, StatusCode, StatusLine, Version};

fn read<'b>(status: u16, fields: &[(&'b str, &'b str)]) -> Result<Response<'b>, Error> {
    let status = StatusCode::try_from(status).unwrap();
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    Response::from_fields(line, fields.iter().map(|(name, value)| (*name, value.as_bytes())))
}

fn refused(status: u16, fields: &[(&str, &str)]) -> (ErrorKind, Option<&'static str>) {
    let error = read(status, fields).expect_err("an invalid response");
    assert_eq!(error.fault(), Fault::PeerBytes, "{error}");
    (error.kind(), error.field())
}

#[test]
fn a_response_says_which_bytes_its_body_contains() {
    let whole = read(200, &[("Content-Length", "10"), ("ETag", "\"a\"")]).unwrap();
    assert_eq!((whole.entity_length(), whole.content_range), (Some(10), None));
    assert_eq!(whole.tag.map(|tag| tag.as_bytes()), Some(&b"\"a\""[..]));

    let range = read(206, &[("content-range", "bytes 2-4/10"), ("Content-Length", "3")]).unwrap();
    assert_eq!(range.entity_length(), Some(10));
    assert_eq!(range.content_range.unwrap().range(), Some(ByteRange::new(2, 4).unwrap()));

    let parts = [("Content-Type", "multipart/byteranges; boundary=b")];
    let parts = read(206, &parts).unwrap();
    assert_eq!(parts.multipart.map(|it| it.boundary()), Some(&b"b"[..]));
    assert_eq!((parts.entity_length(), parts.content_range), (None, None));

    let none = read(416, &[("Content-Range", "bytes */10")]).unwrap();
    assert_eq!(none.entity_length(), Some(10));
    assert_eq!(read(416, &[]).unwrap().entity_length(), None);
    assert_eq!(read(416, &[("Content-Range", "bytes 0-1/9")]).unwrap().entity_length(), None);
    assert_eq!(read(404, &[("Content-Length", "9")]).unwrap().entity_length(), None);
}

#[test]
fn a_body_of_unknown_bytes_is_an_error() {
    use ErrorKind::{
        ConflictingField, LastBeyondTotal, MissingField, NotContentRange, NotMultipart,
    };
    let range = Some("Content-Range");
    assert_eq!(refused(206, &[]), (MissingField, range));
    assert_eq!(refused(206, &[("Content-Type", "text/plain")]), (MissingField, range));
    assert_eq!(refused(206, &[("Content-Range", "bytes */10")]), (NotContentRange, range));
    assert_eq!(refused(206, &[("Content-Range", "bytes 0-9/9")]), (LastBeyondTotal, range));
    let two = [("Content-Range", "bytes 0-1/9"), ("Content-Range", "bytes 0-2/9")];
    assert_eq!(refused(206, &two), (ConflictingField, range));
    let both =
        [("Content-Range", "bytes 0-1/9"), ("Content-Type", "multipart/byteranges; boundary=b")];
    assert_eq!(refused(206, &both), (ConflictingField, range));
    let form = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(refused(206, &form), (NotMultipart, Some("Content-Type")));
    assert_eq!(refused(100, &[]).0, ErrorKind::InterimResponse);
    let lengths = [("Content-Length", "5"), ("Content-Length", "6")];
    assert_eq!(refused(200, &lengths).0, ErrorKind::ContentLengthConflict);
    assert_eq!(refused(200, &[("Content-Length", "+5")]).0, ErrorKind::NotDecimal);
}

#[test]
fn fields_that_describe_the_entity_may_be_invalid() {
    let response = read(
        200,
        &[
            ("ETag", "unquoted"),
            ("Last-Modified", "yesterday"),
            ("Content-Range", "nonsense"),
            ("Retry-After", "soon"),
            ("Content-Encoding", "Identity"),
        ],
    );
    let response = response.unwrap();
    assert_eq!((response.tag, response.retry_after, response.is_encoded), (None, None, false));
    let modified = response.last_modified.unwrap();
    assert_eq!((modified.as_bytes(), modified.date()), (&b"yesterday"[..], None));
    assert!(read(200, &[("Content-Encoding", "gzip")]).unwrap().is_encoded);
    let tags = [("ETag", "\"a\""), ("ETag", "\"b\"")];
    assert_eq!(read(200, &tags).unwrap().tag, None);
    let chunked = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
    assert_eq!(read(200, &chunked).unwrap().entity_length(), None);
}

/// RFC 9110 section 14.4: Content-Range has a meaning in 206 and 416 only.
#[test]
fn content_range_is_ignored_in_a_response_without_ranges() {
    for status in [304, 404, 412, 500] {
        for value in ["bytes 0-4/5", "bytes */5", "lines 0-4/5"] {
            let response = read(status, &[("Content-Range", value)]).unwrap();
            assert_eq!(response.content_range, None, "{status}: {value}");
        }
        assert_eq!(read(status, &[]).unwrap().content_range, None, "{status}");
    }
}

#[test]
fn heads_from_bytes_and_from_pairs_give_equal_messages() {
    let bytes = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\n\
        Content-Length: 3\r\nETag: \"a\"\r\n\r\n";
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(bytes, &mut slots).unwrap();
    let Progress::Complete(head) = head else { panic!("a complete head") };
    let pairs = [("Content-Range", "bytes 2-4/10"), ("Content-Length", "3"), ("ETag", "\"a\"")];
    assert_eq!(Response::from_head(&head), read(206, &pairs));

    let bytes = b"GET /file HTTP/1.0\r\nRange: bytes=0-4\r\n\r\n";
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(bytes, &mut slots).unwrap();
    let Progress::Complete(head) = head else { panic!("a complete head") };
    let line = RequestLine { method: "GET", target: "/file", version: Version::Http10 };
    let request = Request::from_fields(line, [("Range", &b" bytes=0-4 "[..])]).unwrap();
    assert_eq!(Request::from_head(&head), Ok(request));
    assert_eq!(request.method(), Method::Get);
}

#[test]
fn other_methods_are_not_downloads() {
    for method in ["POST", "get", "BITS_POST", "OPTIONS"] {
        let line = RequestLine { method, target: "/file", version: Version::Http11 };
        let error = Request::from_fields(line, []).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotDownload, "{method}");
    }
}
