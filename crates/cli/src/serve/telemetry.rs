//! The log on standard error, and metrics for Prometheus.

use std::io;
use std::net::SocketAddr;

use bits_proto::error::error_chain;
use clap::ValueEnum;
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::EnvFilter;

use crate::error::Failure;

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts to log. The variable RUST_LOG sets the level.
pub fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Serves metrics at `http://ADDRESS/metrics`.
pub fn export_metrics(address: SocketAddr) -> Result<(), Failure> {
    let exporter = PrometheusBuilder::new().with_http_listener(address);
    exporter.install().map_err(|error| {
        Failure::failed(format!("cannot serve metrics at {address}: {}", error_chain(&error)))
    })
}
