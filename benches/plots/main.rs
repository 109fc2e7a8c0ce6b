//! The plots of `docs/BENCHMARKS.md`, made from `benches/reached.txt` and the recorded output in
//! `docs/plots`.
//!
//! The test fails if a plot does not belong to the recorded figures. To draw all plots again:
//!
//! ```sh
//! BITS_BLESS=1 cargo test -p bits-proto-benches --test plots
//! ```

mod chart;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use chart::{Bars, Curves};
use figures::Figures;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plots")
}

/// Returns the name and the text of each plot.
fn plots() -> Vec<(&'static str, String)> {
    let instructions = Figures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("reached.txt"));
    let times = Figures::read(&folder().join("times.txt"));
    let throughput = Figures::read(&folder().join("throughput.txt"));
    vec![
        ("reading.svg", reading(&instructions)),
        ("writing.svg", writing(&instructions)),
        ("steps.svg", steps(&instructions)),
        ("end-to-end.svg", end_to_end(&throughput)),
        ("end-to-end-cpu.svg", end_to_end_cpu(&throughput)),
        ("head-size.svg", head_size(&instructions)),
        ("sessions.svg", sessions(&times)),
    ]
}

fn reading(figures: &Figures) -> String {
    let kinds = [
        "create-session",
        "fragment",
        "close-session",
        "ping",
        "ack",
        "notification-request",
        "notification-response",
    ];
    let row = |kind: &str| {
        let alone = figures.mean_of_kind("read", kind);
        (kind.replace('-', " "), vec![alone, figures.mean_of_kind("baseline", kind)])
    };
    Bars {
        title: "Bytes to a typed, validated message: instructions",
        unit: "relative to the alternative, which is 1",
        series: &["beside httparse alone", "beside httparse, http::HeaderMap, get and parse"],
        rows: kinds.into_iter().map(row).collect(),
    }
    .draw()
}

fn writing(figures: &Figures) -> String {
    let row = |label: &str, name: &str| (label.to_owned(), vec![figures.ratio(name)]);
    Bars {
        title: "Message to bytes: instructions",
        unit: "relative to write!, which is 1",
        series: &["beside write!"],
        rows: vec![
            row("Ack of a Fragment, 2 extra fields", "write-ack/fragment-ack"),
            row("Ack of a Ping, 2 extra fields", "write-ack/ping-ack"),
            row("Fragment head, 3 extra fields", "write-fragment/fragment"),
            row("Ack of a Fragment", "write-plain/fragment-ack"),
            row("refusal", "write-plain/refusal"),
        ],
    }
    .draw()
}

fn steps(figures: &Figures) -> String {
    let row = |label: &str, name: &str| (label.to_owned(), vec![figures.ratio(name)]);
    Bars {
        title: "One Fragment in the state machine: instructions",
        unit: "relative to httparse on the head of the Fragment, which is 1",
        series: &["beside httparse"],
        rows: vec![row("server", "step/server"), row("client", "step/client")],
    }
    .draw()
}

fn end_to_end(figures: &Figures) -> String {
    let curves = figures.throughput(|measured| measured.mib_per_second);
    let title = "Upload over loopback: throughput";
    Curves { title, x: "MiB per fragment", y: "MiB/s", curves }.draw()
}

fn end_to_end_cpu(figures: &Figures) -> String {
    let curves = figures.throughput(|measured| measured.cpu_seconds);
    let title = "Upload of 512 MiB over loopback: CPU of client and server";
    Curves { title, x: "MiB per fragment", y: "seconds", curves }.draw()
}

fn head_size(figures: &Figures) -> String {
    let curve = |name: &str, group| (name.to_owned(), figures.by_number(group, "KiB"));
    let curves = vec![
        curve("bytes to a typed message", "head-size"),
        curve("httparse alone", "head-size-httparse"),
    ];
    let title = "Parsing a Ping with many unknown fields: instructions";
    Curves { title, x: "KiB", y: "relative to a typed message of 1 KiB", curves }.draw()
}

fn sessions(figures: &Figures) -> String {
    let sessions = figures.by_number("sessions", "sessions").into_iter();
    // Powers of ten, because each point has ten times as many sessions as the one before.
    let measured = sessions.map(|(sessions, ratio)| (sessions.log10(), ratio)).collect();
    let title = "Step of a server: time";
    let curves = vec![("measured".to_owned(), measured)];
    Curves { title, x: "live sessions, as power of ten", y: "relative to 1000 sessions", curves }
        .draw()
}

#[test]
fn the_plots_belong_to_the_recorded_figures() {
    let is_blessing = std::env::var_os("BITS_BLESS").is_some();
    for (name, svg) in plots() {
        let path = folder().join(name);
        if is_blessing {
            fs::write(&path, &svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(found == svg, "{name} does not belong to the figures: run with BITS_BLESS=1");
    }
}
