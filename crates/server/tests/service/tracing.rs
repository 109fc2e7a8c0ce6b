//! Lines of the log.

use std::io;
use std::sync::{Arc, Mutex};

use bits_server::storage::StorageError;
use bits_server::{Parts, Principal};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::World;
use crate::support::hooked::Operation;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Writes the log of this thread to these lines while the guard exists.
    fn collect() -> (Self, ::tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false);
        let guard = ::tracing::subscriber::set_default(subscriber.finish());
        (lines, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn lines_about_failures_name_the_cause() {
    let (lines, _guard) = Lines::collect();
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let cause = || Some("disk 7 is gone".into());
    for (error, text) in [
        (StorageError::Denied(cause()), "access denied: disk 7 is gone"),
        (StorageError::Full(cause()), "storage is full: disk 7 is gone"),
        (StorageError::Lost(cause()), "stored bytes are missing: disk 7 is gone"),
    ] {
        world.hooks.fail(Operation::Flush, error);
        world.fragment("/f", &id, 0, b"hello", 5).await;
        assert!(lines.text().contains(text), "{}", lines.text());
    }
}

#[tokio::test]
async fn lines_about_failures_identify_the_upload() {
    let (lines, _guard) = Lines::collect();
    let world = World::new(|builder| {
        builder.authorize(|_: &Parts| std::future::ready(Ok(Principal::new("m1"))))
    })
    .await;
    let id = world.create("/f").await;
    world.hooks.fail(Operation::Flush, StorageError::other("bucket is unreachable"));
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.close("/f", &id).await;
    let text = lines.text();
    let with = |level: &str| text.lines().filter(|line| line.contains(level)).collect::<Vec<_>>();
    let (warnings, infos) = (with(" WARN "), with(" INFO "));
    assert!(warnings.len() == 1 && infos.len() == 1, "{text}");
    for line in warnings.iter().chain(&infos) {
        for part in ["path=\"/f\"", "principal=m1", &format!("session={id}"), "bytes="] {
            assert!(line.contains(part), "no {part}: {line}");
        }
    }
    assert!(warnings[0].contains("bucket is unreachable"), "{text}");
    assert!(infos[0].contains("upload published"), "{text}");
}
