//! Targets of requests.

/// Returns the path and the query of a request target or of a URL. They stay the same if the client
/// continues at another host.
pub fn path_and_query(target: &str) -> &str {
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}
