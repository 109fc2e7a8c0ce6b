//! The next step for the user after a download stopped.

use bits_proto::download::StopReason;

/// Returns the next step for the user of the program `download`, or an empty text.
pub fn advice(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Timeout => "allow more time with --timeout",
        StopReason::Protocol => {
            "a proxy may change the responses: request the entity without a proxy"
        }
        StopReason::EntityChanged => "try again when the entity no longer changes",
        StopReason::RangeOutsideEntity => "check --range: the entity is shorter",
        StopReason::MissingValidator => {
            "--allow-missing-validator continues if the length is equal, and may mix two versions"
        }
        StopReason::MissingLength => "--dynamic accepts such an entity if it arrives in chunks",
        StopReason::RangesNotSupported => {
            "--skip-to-range receives the bytes before the range, and discards them"
        }
        StopReason::UnsupportedEncoding => {
            "the server or a proxy ignores Accept-Encoding: identity, and nothing was stored"
        }
        StopReason::Refused { status } => refusal_advice(status.get()),
        _ => "",
    }
}

const fn refusal_advice(status: u16) -> &'static str {
    match status {
        403 => "access denied: the server does not allow this download",
        404 | 410 => "the entity does not exist on the server: check the URL",
        429 => "the server limits the number of requests: try again later",
        500..=599 => "the server has an internal problem: try again later",
        _ => "",
    }
}
