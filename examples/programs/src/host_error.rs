//! What a session is told of an error of the disk.

use std::io;

use bits_proto::server::HostError;

/// It is for what is done with a session's bytes: that something is not there means those.
pub fn host_error(error: &io::Error) -> HostError {
    match error.kind() {
        // A limit on the size of files is met where the room for one ends.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            HostError::DiskFull
        }
        io::ErrorKind::PermissionDenied => HostError::AccessDenied,
        io::ErrorKind::AlreadyExists => HostError::DestinationExists,
        io::ErrorKind::NotFound => HostError::EntityLost,
        _ => HostError::Other,
    }
}
