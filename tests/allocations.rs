//! Reading and writing allocate nothing.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use bits_proto::Error;
use bits_proto::head::{Progress, RequestHead, ResponseHead, Slots, Target};
use bits_proto::message::{
    Ack, NO_EXTRAS, NotificationRequest, NotificationResponse, Policy, Refusal, Request,
};
use common::{Vector, asked, vectors};

thread_local! {
    /// Per thread, since the test harness has threads of its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

fn count(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A place for text that does not grow.
struct Fixed([u8; 512], usize);

impl std::fmt::Write for Fixed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let place = self.0.get_mut(self.1..self.1 + text.len()).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.1 += text.len();
        Ok(())
    }
}

/// Errors are told and answered.
fn tell(error: Error, buffer: &mut [u8]) {
    let mut text = Fixed([0; 512], 0);
    write!(text, "{error}").expect("room for an error");
    let refusal = Ack::Refused(Refusal::for_error(&error, &Policy::DEFAULT));
    refusal.encode(NO_EXTRAS).and_then(|head| head.write(buffer)).expect("room for a refusal");
}

fn read_and_write_request(bytes: &[u8], buffer: &mut [u8]) -> Result<(), Error> {
    let mut slots = Slots::new();
    let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else { return Ok(()) };
    let target = Target::try_from(head.line().target)?;
    if let Ok(decoded) = NotificationRequest::from_head(&head) {
        decoded.message.encode(target, [("Host", "h")])?.write(buffer)?;
        return Ok(());
    }
    let decoded = Request::from_head(&head, &Policy::LENIENT)?;
    decoded.message.encode(target, [("Host", "h")])?.write(buffer)?;
    Ok(())
}

fn read_and_write_response(bytes: &[u8], buffer: &mut [u8]) -> Result<(), Error> {
    let mut slots = Slots::new();
    let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else { return Ok(()) };
    let notified = NotificationResponse::from_head(&head)?;
    notified.message.encode(NO_EXTRAS)?.write(buffer)?;
    for request in ["ping", "create", "last", "close", "cancel"] {
        match Ack::from_head(&head, &asked(request)) {
            Ok(decoded) => drop(decoded.message.encode(NO_EXTRAS)?.write(buffer)?),
            Err(error) => tell(error, buffer),
        }
    }
    Ok(())
}

fn read_and_write(vector: &Vector, buffer: &mut [u8]) {
    let result = if vector.is_request {
        read_and_write_request(&vector.bytes, buffer)
    } else {
        read_and_write_response(&vector.bytes, buffer)
    };
    if let Err(error) = result {
        tell(error, buffer);
    }
}

#[test]
fn reading_and_writing_allocate_nothing() {
    let mut buffer = vec![0; 64 * 1024];
    for vector in vectors() {
        let allocations = count(|| read_and_write(&vector, &mut buffer));
        assert_eq!(allocations, 0, "{}", vector.name);
    }
}

#[test]
fn the_count_counts() {
    assert_eq!(count(|| drop(std::hint::black_box(Box::new(1)))), 1);
}
