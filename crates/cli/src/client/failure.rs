//! Errors of transfers, with the options of the program that help.

use std::borrow::Cow;
use std::error::Error as _;
use std::io::ErrorKind;

use bits_client::{Error, StopReason};
use bits_proto::client::StopReason as Upload;
use bits_proto::download::StopReason as Download;
use bits_proto::http1::StatusCode;

use super::Direction;
use crate::error::Failure;

/// Describes an error of a transfer, and the next step for the user.
#[must_use]
pub fn failure(error: &Error, url: &str, direction: Direction) -> Failure {
    match error {
        Error::Url { .. } => return Failure::usage(url_error(error)),
        Error::Option(_) => return Failure::usage(error.report()),
        Error::Paused { is_resumable: true, .. } => {
            let text = format!("{}. {RESUME}", capitalized(&error.report()));
            return Failure::interrupted(text);
        }
        Error::Aborted { is_confirmed: true } => {
            return Failure::interrupted("Cancelled. The server has deleted the session.");
        }
        Error::Aborted { .. } => {
            return Failure::interrupted(
                "Cancelled, but the server did not confirm it. The session remains there until it expires.",
            );
        }
        Error::Paused { .. } => return Failure::interrupted(error.report()),
        _ => {}
    }
    let report = error.report();
    let is_local = matches!(error, Error::Changed { .. } | Error::Io { .. } | Error::State { .. });
    let report = if is_local || report.contains(url) { report } else { format!("{url}: {report}") };
    match advice(error, direction) {
        Some(advice) => Failure::failed(format!("{report}. {advice}")),
        None => Failure::failed(report),
    }
}

/// Describes an invalid URL.
fn url_error(error: &Error) -> String {
    let report = error.report();
    if matches!(error, Error::Url { reason, .. } if reason.starts_with("credentials in the URL")) {
        return format!("{report}; pass them with --basic USER:PASSWORD");
    }
    let Some(advice) = error.advice() else { return report };
    let mut letters = advice.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    format!("{report}; {}{}", first.map_or_else(String::new, String::from), letters.as_str())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

const RESUME: &str = "Run the same command to resume.";

/// Returns the next step in terms of the command line.
fn advice(error: &Error, direction: Direction) -> Option<Cow<'static, str>> {
    let text = match error {
        Error::Unauthorized { status, .. }
            if *status == StatusCode::PROXY_AUTHENTICATION_REQUIRED =>
        {
            "Add user and password to the URL of the proxy, as in --proxy http://USER:PASSWORD@HOST:PORT."
        }
        Error::Unauthorized { sent: None, .. } if is_answerable(error) => {
            "Pass them with --basic USER:PASSWORD or --bearer TOKEN."
        }
        Error::Unauthorized { sent: Some("Bearer"), .. } if is_answerable(error) => {
            "Check the token of --bearer."
        }
        Error::Unauthorized { sent: Some("Basic" | "Digest"), .. } if is_answerable(error) => {
            "Check the user and the password of --basic."
        }
        Error::AccessDenied { .. } if direction == Direction::Download => {
            "Ask the operator of the server for access to this URL."
        }
        Error::Redirected { reason: "too many redirects", .. } => {
            "Ask the operator of the server to correct its redirects."
        }
        Error::AlreadyExists { destination } if destination.contains("://") => {
            return error.advice();
        }
        Error::AlreadyExists { .. } if direction == Direction::Download => {
            "Choose another file, or replace it with --overwrite."
        }
        Error::AlreadyExists { .. } => "Choose another file for --reply, or delete it.",
        Error::TooLarge { status, .. } if *status == StatusCode::NOT_FOUND => {
            "Send smaller fragments with --fragment-size, or ask the operator of the server to enable \
             uploads and to raise the limit of its request filtering."
        }
        Error::Refused { status, .. } if status.get() == 429 => {
            "Try again later, or allow more attempts with --retries: the server limits the rate of \
             requests."
        }
        Error::Suspended { reason, is_resumable, transferred, .. } => {
            let text = match reason {
                StopReason::Upload(reason) => {
                    upload_advice(*reason, *is_resumable, *transferred > 0)
                }
                StopReason::Download(reason) => download_advice(*reason, *is_resumable),
                _ => None,
            };
            return text.map_or_else(|| error.advice(), |text| Some(text.into()));
        }
        Error::State { reason, .. } if reason.starts_with("folder") => {
            "Name another folder with --resume."
        }
        Error::Io { source, .. } if source.kind() == ErrorKind::StorageFull => {
            "Free some space, and run the same command again."
        }
        Error::Reply { .. } => return reply_advice(error, direction),
        Error::Tls { source } if is_untrusted(source) => {
            "Pass the certificate of the authority that issued the server's certificate with --ca."
        }
        _ => return error.advice(),
    };
    Some(text.into())
}

/// Returns true if credentials of the command line may be accepted.
fn is_answerable(error: &Error) -> bool {
    let Error::Unauthorized { schemes, .. } = error else { return false };
    let is_supported = |scheme: &String| {
        ["basic", "bearer", "digest"].iter().any(|it| scheme.eq_ignore_ascii_case(it))
    };
    schemes.is_empty() || schemes.iter().any(is_supported)
}

fn upload_advice(reason: Upload, is_resumable: bool, has_progress: bool) -> Option<&'static str> {
    match reason {
        Upload::SessionRejected { .. } => {
            Some("The same command with --restart sends the file from its beginning.")
        }
        Upload::Timeout => {
            Some("Allow more time with --timeout, or send smaller fragments with --fragment-size.")
        }
        Upload::Transport if !has_progress => None,
        Upload::Transport | Upload::ReplyUnavailable if is_resumable => Some(RESUME),
        _ => None,
    }
}

fn download_advice(reason: Download, is_resumable: bool) -> Option<&'static str> {
    match reason {
        Download::Timeout => Some("Allow more time with --timeout."),
        Download::RangeOutsideEntity => Some("Check --range: the file is shorter."),
        Download::MissingValidator => Some(
            "--allow-missing-validator continues if the length is equal, and may mix two versions.",
        ),
        Download::MissingLength => Some("--dynamic accepts such a file if it arrives in chunks."),
        Download::RangesNotSupported => {
            Some("--skip-to-range receives the bytes before the range, and discards them.")
        }
        Download::Transport if is_resumable => Some(RESUME),
        _ => None,
    }
}

fn reply_advice(error: &Error, direction: Direction) -> Option<Cow<'static, str>> {
    match error.source()?.downcast_ref::<Error>()? {
        Error::Redirected { reason, .. } if *reason == "the reply is on another server" => {
            Some("--reply-from-anywhere fetches it, without credentials.".into())
        }
        cause => advice(cause, direction),
    }
}

fn is_untrusted(error: &rustls::Error) -> bool {
    use rustls::CertificateError as Certificate;
    matches!(
        error,
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature)
    )
}
