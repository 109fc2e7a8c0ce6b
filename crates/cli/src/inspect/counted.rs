//! Numbers with a noun.

/// Returns a number and a noun, such as `2 bytes`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
