//! The responses on several connections, and their pending requests.

use super::{MULTIPART, NONE, OLD, Watch};

#[test]
fn responses_are_assigned_to_the_requests_on_their_connection() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "100")];
    watch.request(1, "GET", &[("Range", "bytes=0-9")]);
    watch.request(2, "BITS_POST", &[]);
    watch.request(2, "GET", &[]);
    assert_eq!(watch.response(2, 200, &[]), NONE, "no download");
    assert_eq!(watch.response(1, 100, &[]), NONE, "an interim response");
    assert_eq!(watch.response(2, 200, &fields), NONE);
    assert_eq!(watch.response(1, 200, &fields), ["range-ignored"]);
    assert_eq!(watch.response(1, 200, &[]), NONE, "no request is pending");
    watch.request(1, "GET", &[("Range", "bytes=0-9")]);
    watch.observer.handle_disconnected(1);
    watch.request(1, "GET", &[]);
    assert_eq!(watch.response(1, 200, &fields), NONE);
}

#[test]
fn the_parts_of_a_response_end_with_the_next_response() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    let range = [("Range", "bytes=0-9,20-29")];
    watch.request(1, "GET", &range);
    watch.request(1, "GET", &range);
    assert_eq!(watch.response(1, 206, &fields), NONE);
    assert_eq!(watch.response(1, 206, &fields), NONE);
    assert_eq!(watch.parts(1, &["bytes 0-9/100", "bytes 20-29/100"]), NONE);
    assert_eq!(watch.parts(1, &["bytes 0-9/100"]), NONE, "no body is being received");
}

#[test]
fn too_many_pending_requests_end_the_verdicts() {
    let respond = |pending: u32| {
        let mut watch = Watch::default();
        for connection in 0..pending {
            watch.request(connection, "GET", &[]);
        }
        watch.response(0, 200, &[("Content-Length", "5")])
    };
    assert_eq!(respond(8), ["download-without-date"]);
    assert_eq!(respond(9), NONE);
}
