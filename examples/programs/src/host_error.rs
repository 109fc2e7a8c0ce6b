//! Conversion of I/O errors into errors of the server.

use std::io;

use bits_proto::server::HostError;

/// Converts an error of an operation on the files of a session. A missing file means that stored
/// bytes are lost.
pub fn host_error(error: &io::Error) -> HostError {
    match error.kind() {
        // To the client, a file size limit is no different from a full disk.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            HostError::DiskFull
        }
        io::ErrorKind::PermissionDenied => HostError::AccessDenied,
        io::ErrorKind::AlreadyExists => HostError::DestinationExists,
        io::ErrorKind::NotFound => HostError::EntityLost,
        _ => HostError::Other,
    }
}
