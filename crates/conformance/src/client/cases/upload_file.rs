//! Files that change during the upload.

use super::once;
use crate::Level::Robustness;
use crate::client::entry::Entry;
use crate::client::upload::Upload;

/// Writes other bytes into the file of the client. The file is unchanged if that fails.
fn rewrite(server: &mut Upload, length: u64) {
    let bytes = server.setup.content.other().bytes(0..length);
    if std::fs::write(&server.setup.file, &bytes).is_ok() {
        server.other_content = Some(bytes);
    }
}

/// A case in which the file has other bytes when the first fragment arrives.
macro_rules! changes {
    ($id:literal, $length:literal, $new:literal, $advice:literal) => {
        Entry::upload(
            $id,
            Robustness,
            &["R2.2.6.1-3"],
            $advice,
            once!(NoWrongCopy, $length, Fragment 1, |server, request| {
                rewrite(server, $new);
                server.max_sessions += 1;
                server.ordinary(request)
            }),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    changes!(
        "file.rewritten",
        53_001,
        53_001,
        "Upload the bytes of one version of the file, or report that it changed during the upload."
    ),
    changes!(
        "file.truncated",
        53_002,
        20_000,
        "Report that the file became shorter during the upload."
    ),
];
