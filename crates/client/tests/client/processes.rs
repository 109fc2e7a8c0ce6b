//! Processes that are killed, and the memory of a process.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use bits_client::{CancellationToken, StateDir};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use crate::download::{VERSION_1, serve};
use crate::support::{Answer, Server, ack, child, client, content};

/// The files of a child.
struct Files {
    file: PathBuf,
    states: StateDir,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self { file: folder.join("file.bin"), states: StateDir::new(folder.join("states")) }
    }
}

#[tokio::test]
async fn an_upload_survives_kill_9() {
    if let Some(argument) = child::argument() {
        let (url, folder) = argument.split_once(' ').unwrap();
        let files = Files::new(Path::new(folder));
        let upload = client().upload(url).file(files.file).fragment_size(500_000);
        upload.resume(files.states).send().await.unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    std::fs::write(&files.file, content(2_000_000)).unwrap();
    let arrived = CancellationToken::new();
    let signal = arrived.clone();
    let server = Server::start(move |request, bits| {
        let holds = request.kind() == "fragment" && bits.data.len() == 500_000;
        (holds && !signal.is_cancelled()).then(|| {
            bits.answer(request);
            signal.cancel();
            Answer::Hold(Vec::new())
        })
    })
    .await;
    let argument = format!("{} {}", server.url("/x"), folder.path().display());
    let run = || child::command("processes::an_upload_survives_kill_9", &argument).spawn().unwrap();

    let mut killed = run();
    arrived.cancelled().await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    child::output(run()).await;

    assert!(server.bits().data == content(2_000_000) && server.bits().closed);
    assert_eq!(server.bits().created, 1);
    let firsts =
        server.requests().iter().filter_map(|it| it.range()).map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(firsts[..2], [0, 500_000]);
    // The second fragment arrived before the kill: the server says so, or it is sent again.
    assert!(!firsts[2..].contains(&0), "{firsts:?}");
    assert_eq!(std::fs::read_dir(files.states.path().unwrap()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_download_survives_kill_9() {
    if let Some(argument) = child::argument() {
        let (url, folder) = argument.split_once(' ').unwrap();
        let files = Files::new(Path::new(folder));
        let download = client().download(url).to(files.file).resume(files.states);
        download.send().await.unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let mut is_first = true;
    let server = Server::scripted(move |request| {
        let answer = serve(request, &content(2_000_000), &VERSION_1);
        if request.method == "GET" && std::mem::take(&mut is_first) {
            return Answer::Hold(answer.into_bytes()[..1_000_000].to_vec());
        }
        answer
    })
    .await;
    let argument = format!("{} {}", server.url("/x"), folder.path().display());
    let run =
        || child::command("processes::a_download_survives_kill_9", &argument).spawn().unwrap();

    let mut killed = run();
    wait_for_state(&folder.path().join("states"), 500_000).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    child::output(run()).await;

    assert!(std::fs::read(files.file).unwrap() == content(2_000_000));
    let last = server.requests().pop().unwrap();
    let first = last.get("Range").and_then(|it| it.strip_prefix("bytes=")?.split_once('-'));
    assert!(first.unwrap().0.parse::<usize>().unwrap() >= 500_000, "{last:?}");
}

/// Waits until a stored state counts this number of bytes as received.
async fn wait_for_state(folder: &Path, bytes: u64) {
    loop {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut states = files.filter(|it| it.file_name().to_string_lossy().ends_with(".json"));
        let text = states.next().and_then(|it| std::fs::read(it.path()).ok());
        let state = text.and_then(|it| serde_json::from_slice::<serde_json::Value>(&it).ok());
        let next = state.and_then(|it| it["machine"]["progress"]["next"].as_u64());
        if next >= Some(bytes) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// A source of zeros.
struct Zeros;

impl AsyncRead for Zeros {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = buffer.remaining();
        buffer.initialize_unfilled();
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for Zeros {
    fn start_seek(self: Pin<&mut Self>, _: io::SeekFrom) -> io::Result<()> {
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(0))
    }
}

/// Returns the peak memory of this process, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_is_bounded_for_an_entity_of_5_gib() {
    const LENGTH: u64 = 5 << 30;
    if let Some(url) = child::argument() {
        let upload = client().upload(url).reader(Zeros, LENGTH).fragment_size(13 << 20);
        assert_eq!(upload.send().await.unwrap().length, LENGTH);
        println!("peak={}", peak_memory());
        return;
    }
    let server = Server::start(|request, _| {
        let (_, last, _) = request.range()?;
        Some(ack("200 OK", &[("BITS-Received-Content-Range", &(last + 1).to_string())]))
    })
    .await;
    let test = "processes::memory_is_bounded_for_an_entity_of_5_gib";
    let output = child::output(child::command(test, &server.url("/x")).spawn().unwrap()).await;
    let peak = output.split_once("peak=").unwrap().1.lines().next().unwrap();
    assert!(peak.parse::<u64>().unwrap() < 48 * 1024, "{peak} KiB");
}
