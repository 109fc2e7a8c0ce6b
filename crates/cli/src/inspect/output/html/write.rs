//! Writes a page to a file.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Writes a page. A regular file is replaced as a whole, so that readers never see a part of the page.
///
/// # Errors
///
/// The file cannot be written. An existing one is unchanged then.
pub fn write(path: &Path, page: &str) -> io::Result<()> {
    // Replaces the target of a link, not the link.
    let resolved = std::fs::canonicalize(path);
    let path = resolved.as_deref().unwrap_or(path);
    match File::options().write(true).open(path) {
        // Devices and pipes cannot be replaced.
        Ok(mut file) if !file.metadata()?.is_file() => file.write_all(page.as_bytes()),
        Ok(file) => replace(path, page, Some(file.metadata()?.permissions())),
        Err(error) if error.kind() == ErrorKind::NotFound => replace(path, page, None),
        Err(error) => Err(error),
    }
}

fn replace(path: &Path, page: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = temporary_file(folder.unwrap_or(Path::new(".")))?;
    file.write_all(page.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path)?;
    Ok(())
}

/// Creates a file with the permissions of an ordinary new file.
fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bits-inspect-").suffix(".html");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
