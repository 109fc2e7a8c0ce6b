//! The next step for a person after a transfer failed.

use std::borrow::Cow;
use std::io;

use bits_proto::field::HResult;
use bits_proto::http1::StatusCode;
use bits_proto::{client, download};

use super::{Error, StopReason, refusal};
use crate::state::IN_USE;

/// The schemes that are answered when credentials are set.
const SUPPORTED: [&str; 3] = ["basic", "bearer", "digest"];

pub(super) fn advice(error: &Error) -> Option<Cow<'static, str>> {
    let text = match error {
        Error::Url { url, .. } => return url_advice(url),
        Error::Unauthorized { status, schemes, sent } => {
            return Some(credentials_advice(*status, schemes, *sent));
        }
        Error::AccessDenied { code: Some(HResult::INVALID_NAME), .. } => {
            "Choose another name: the server cannot store an entity with this one."
        }
        Error::AccessDenied { .. } => {
            "The folder of the URL may not exist on the server, or a file there may not be replaced: check \
             the URL, or ask the operator of the server for access."
        }
        Error::AlreadyExists { destination } if destination.contains("://") => {
            "An earlier run may have completed this upload: compare it with a download. Otherwise choose \
             another URL, or ask the operator of the server to allow files to be replaced."
        }
        Error::AlreadyExists { .. } => "Choose another file, or allow it to be replaced.",
        Error::NotFound { .. } => "Check the URL.",
        Error::Full { .. } => "Try again when the server has free space.",
        Error::TooLarge { status, .. } if *status == StatusCode::NOT_FOUND => {
            "The fragment may be too large, or uploads are not enabled: send smaller fragments, or ask \
             the operator of the server to enable uploads and to raise the limit of its request \
             filtering."
        }
        Error::TooLarge { .. } => {
            "Send a smaller file, or ask the operator of the server to raise its limit."
        }
        Error::NotBits { .. } => {
            "Check that the URL belongs to a BITS server that accepts uploads, and that no proxy \
             before it rejects the method BITS_POST."
        }
        Error::Application { status, code, .. } => application_advice(status.get(), *code),
        Error::Refused { status, code } => refusal_advice(status.get(), *code)?,
        Error::Redirected { .. } => "If you trust that URL, use it instead.",
        Error::Paused { is_resumable: true, .. } => "Start the same transfer again to continue it.",
        Error::Suspended { reason, transferred: 0, .. } if is_transport(*reason) => {
            "Check that the server is running, and the host and the port of the URL and of the proxy, if \
             there is one."
        }
        Error::Suspended { reason, is_resumable, .. } => stop_advice(*reason, *is_resumable)?,
        Error::Changed { .. } => "Upload the file again when it no longer changes.",
        Error::Tls { source } => tls_advice(source),
        Error::State { reason, .. } if reason.starts_with(IN_USE) => {
            "Wait until the other process has ended."
        }
        Error::State { .. } => "Choose another folder for the states of transfers.",
        Error::Io { source, .. } => io_advice(source.kind())?,
        _ => return None,
    };
    Some(text.into())
}

fn io_advice(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound => Some("Check the path."),
        io::ErrorKind::IsADirectory => Some("Name a file instead."),
        io::ErrorKind::PermissionDenied => {
            Some("Check the permissions of the file and its folder.")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("Free some space, and start the same transfer again.")
        }
        _ => None,
    }
}

fn url_advice(url: &str) -> Option<Cow<'static, str>> {
    (!url.contains("://") && !url.starts_with('/'))
        .then(|| format!("Did you mean http://{url} ?").into())
}

fn credentials_advice(
    status: StatusCode,
    schemes: &[String],
    sent: Option<&str>,
) -> Cow<'static, str> {
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return "Add user and password to the URL of the proxy.".into();
    }
    let is_supported = |scheme: &String| SUPPORTED.contains(&&*scheme.to_ascii_lowercase());
    if schemes.is_empty() || schemes.iter().any(is_supported) {
        let text = match sent {
            Some(_) => "Check the credentials.",
            None => "Pass credentials.",
        };
        return text.into();
    }
    format!(
        "Ask the operator of the server to allow Basic, Bearer or Digest: {} is not supported.",
        schemes.join(" or ")
    )
    .into()
}

fn application_advice(status: u16, code: Option<HResult>) -> &'static str {
    match (status, code) {
        (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => {
            "The entity exceeds a limit of the application: ask its operator to raise it."
        }
        (401 | 403 | 407, _) | (_, Some(HResult::E_ACCESSDENIED)) => {
            "Ask the operator of the server to allow uploads to the application."
        }
        (408 | 409 | 429 | 500..=599, _) => "Try again later: the application has a problem.",
        _ => "Ask the operator of the server why the application rejects the entity.",
    }
}

fn refusal_advice(status: u16, code: Option<HResult>) -> Option<&'static str> {
    match (status, code) {
        (429, _) => Some("Try again later: the server limits the rate of requests."),
        (_, Some(HResult::E_INVALIDARG)) => Some(
            "Add the name of a file if the URL is that of a folder. Otherwise ask the operator of the \
                 server why it considers the request invalid.",
        ),
        (400, None) => {
            Some("Check the URL: if the port serves TLS, the URL must start with https://.")
        }
        (502 | 504, None) => Some(
            "A proxy cannot reach the server behind it: ask the operator to check that the server \
             is running.",
        ),
        (503, None) => Some(
            "Try again later: the server is overloaded or restarting, or an earlier request of this \
             transfer is still in progress.",
        ),
        (500..=599, _) => Some("Try again later: the server has an internal problem."),
        _ => None,
    }
}

const fn is_transport(reason: StopReason) -> bool {
    matches!(
        reason,
        StopReason::Upload(client::StopReason::Transport)
            | StopReason::Download(download::StopReason::Transport)
    )
}

fn stop_advice(reason: StopReason, is_resumable: bool) -> Option<&'static str> {
    match reason {
        StopReason::Upload(reason) => upload_advice(reason),
        StopReason::Download(reason) => download_advice(reason),
    }
    .or(if is_resumable {
        Some("Start the same transfer again to continue it.")
    } else {
        None
    })
}

fn upload_advice(reason: client::StopReason) -> Option<&'static str> {
    use client::StopReason as Reason;
    match reason {
        Reason::Refused { status, code, .. } => refusal_advice(status.get(), code),
        Reason::SessionRejected { .. } => {
            Some("Restart the upload to send the file from its beginning.")
        }
        Reason::Timeout => Some("Allow more time, or send smaller fragments."),
        Reason::Protocol => Some(
            "Check that the URL belongs to a BITS server that accepts uploads, and that it starts \
                 with https:// if the port serves TLS.",
        ),
        Reason::SessionLost | Reason::NoProgress => {
            Some("The log of the server may contain the reason.")
        }
        _ => None,
    }
}

fn download_advice(reason: download::StopReason) -> Option<&'static str> {
    use download::StopReason as Reason;
    match reason {
        Reason::Refused { status } => refusal_advice(status.get(), None),
        Reason::Timeout => Some("Allow more time."),
        Reason::Protocol => {
            Some("Request the entity without a proxy: a proxy may change the responses.")
        }
        Reason::EntityChanged => Some("Try again when the entity no longer changes."),
        Reason::RangeOutsideEntity => Some("Check the ranges: the entity is shorter."),
        Reason::MissingValidator => {
            Some("Allow a missing validator if the entity does not change.")
        }
        Reason::Interrupted => Some("Try again when the connection is more reliable."),
        Reason::MissingLength => Some("Allow dynamic content."),
        Reason::RangesNotSupported => {
            Some("Allow the bytes before the range to be received and discarded.")
        }
        Reason::UnsupportedEncoding => {
            Some("The server or a proxy ignores Accept-Encoding: identity. Nothing was stored.")
        }
        _ => None,
    }
}

fn tls_advice(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Certificate;
    match error {
        rustls::Error::InvalidCertificate(
            Certificate::UnknownIssuer | Certificate::BadSignature,
        ) => "Pass the certificate of the authority that issued the server's certificate.",
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "Use the host name for which the server's certificate was issued.",
        rustls::Error::InvalidCertificate(
            Certificate::Expired | Certificate::ExpiredContext { .. },
        ) => "Ask the operator of the server to renew its certificate.",
        rustls::Error::InvalidCertificate(it) if refusal::is_ca_as_end_entity(it) => {
            "The server presents the certificate of an authority: ask its operator to issue a \
             certificate for the server with that authority."
        }
        rustls::Error::InvalidMessage(_) => "Check that the port of the URL serves https.",
        _ => "Check the certificate and the TLS version of the server.",
    }
}
