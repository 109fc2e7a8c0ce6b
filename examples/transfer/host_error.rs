//! What a session is told of an error of the disk.

use std::io;

use bits_proto::server::HostError;

/// It is for what is done with a session's bytes: that something is not there means those.
pub fn host_error(error: &io::Error) -> HostError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => HostError::DiskFull,
        io::ErrorKind::PermissionDenied => HostError::AccessDenied,
        io::ErrorKind::AlreadyExists => HostError::DestinationExists,
        io::ErrorKind::NotFound => HostError::EntityLost,
        _ => HostError::Other,
    }
}
