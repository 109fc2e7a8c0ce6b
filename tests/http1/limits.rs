//! Heads with more fields than fit into 16 bits.

use std::thread;

use bits_proto::error::ErrorKind;
use bits_proto::http1::Progress;
use bits_proto::limits::Limits;
use bits_proto::message::{HeaderSlots, ParseOptions, Request, RequestHead};

const ROOM: usize = 65_537;

fn head(fields: usize) -> Vec<u8> {
    let length = b"Content-Length:0\r\nBITS-Packet-Type:Ping\r\n\r\n";
    [b"BITS_POST /e HTTP/1.1\r\n", &b"a:\r\n".repeat(fields - 2)[..], length].concat()
}

/// Runs a test in a thread, because header slots of this size exceed the default stack.
fn with_much_stack(test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(64 << 20).spawn(test).expect("a thread");
    thread.join().expect("it does not panic");
}

#[test]
fn as_many_fields_are_read_as_there_is_room_for_and_one_more_is_refused() {
    with_much_stack(|| {
        let limits = Limits::DEFAULT.with_head_bytes(1 << 20).with_fields(ROOM + 1);
        for fields in [65_535, 65_536, ROOM] {
            let bytes = head(fields);
            let mut slots = HeaderSlots::<ROOM>::with_capacity();
            let Ok(Progress::Complete(head)) =
                RequestHead::parse_with_limits(&bytes, &mut slots, &limits)
            else {
                panic!("{fields} fields are not read")
            };
            assert_eq!(head.fields().len(), fields);
            let decoded = Request::from_head(&head, &ParseOptions::DEFAULT).expect("valid");
            assert!(matches!(decoded.message, Request::Ping(_)));
        }
        let bytes = head(ROOM + 1);
        let mut slots = HeaderSlots::<ROOM>::with_capacity();
        let refused = RequestHead::parse_with_limits(&bytes, &mut slots, &limits);
        let error = refused.map(|_| ()).expect_err("no slot for the last field");
        assert_eq!(error.kind(), ErrorKind::TooManyFields);
    });
}
