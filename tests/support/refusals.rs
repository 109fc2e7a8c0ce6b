//! The refusals that have a constructor of their own.

use bits_proto::field::HResult;
use bits_proto::message::Refusal;

/// Returns these refusals, except for that of an unexpected offset.
pub fn named_refusals() -> [Refusal<'static>; 9] {
    [
        Refusal::invalid_argument(),
        Refusal::length_required(),
        Refusal::access_denied(),
        Refusal::destination_exists(HResult::FILE_EXISTS),
        Refusal::invalid_name(),
        Refusal::uploads_disabled(),
        Refusal::session_not_found(),
        Refusal::too_large(),
        Refusal::disk_full(HResult::DISK_FULL),
    ]
}
