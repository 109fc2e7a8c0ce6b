//! Tests of the example `inspect`: of its modules, and of the program.

#[path = "../examples/inspect/body.rs"]
mod body;
#[path = "../examples/inspect/capture.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod capture;
#[path = "../examples/inspect/captured.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod captured;
#[path = "../examples/inspect/compressed.rs"]
mod compressed;
#[path = "../examples/inspect/conversation.rs"]
mod conversation;
#[path = "../examples/inspect/conversations.rs"]
mod conversations;
#[path = "../examples/inspect/counted.rs"]
mod counted;
#[path = "../examples/inspect/cursor.rs"]
mod cursor;
#[path = "../examples/inspect/decode.rs"]
mod decode;
#[path = "../examples/inspect/input.rs"]
mod input;
#[path = "../examples/inspect/malformed.rs"]
mod malformed;
#[path = "../examples/inspect/observers.rs"]
mod observers;
#[path = "../examples/inspect/output/mod.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod output;
#[path = "../examples/inspect/packet/mod.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod packet;
#[path = "../examples/inspect/pending.rs"]
mod pending;
#[path = "../examples/inspect/report.rs"]
mod report;
#[path = "../examples/inspect/skipped.rs"]
mod skipped;
#[path = "../examples/inspect/sniff.rs"]
mod sniff;
#[path = "../examples/inspect/source.rs"]
mod source;
#[path = "../examples/inspect/stream.rs"]
mod stream;
#[path = "../examples/inspect/summary.rs"]
mod summary;
#[path = "../examples/inspect/target.rs"]
mod target;
#[path = "../examples/inspect/tcp.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod tcp;
#[path = "../examples/inspect/traffic.rs"]
#[allow(dead_code, reason = "partly used by the program only")]
mod traffic;
#[path = "../examples/inspect/unsupported.rs"]
mod unsupported;
#[path = "../examples/inspect/uploads.rs"]
mod uploads;

mod support {
    pub mod capture;
    pub mod cases;
    pub mod dialogues;
    pub mod encapsulation;
    pub mod inspector;
    pub mod selection;

    pub use bits_proto_test_tools::{program, vectors};
}

mod inspect;
