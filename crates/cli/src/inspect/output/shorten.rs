//! Shortens text to a number of columns of the terminal.

use unicode_truncate::UnicodeTruncateStr as _;
use unicode_width::UnicodeWidthStr as _;

/// Replaces characters from peers that the terminal might interpret: control characters, line
/// separators, and changes of the writing direction.
pub fn printable(text: &str) -> String {
    let is_unsafe = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_unsafe(letter) { '\u{FFFD}' } else { letter }).collect()
}

/// Shortens text in the middle.
pub fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.into();
    }
    let Some(kept) = width.checked_sub(1) else { return String::new() };
    let (start, _) = text.unicode_truncate(kept / 2);
    let (end, _) = text.unicode_truncate_start(kept - kept / 2);
    format!("{start}…{end}")
}

/// Shortens a path or URL between its first and its last segment, if they fit.
pub fn shorten_path(path: &str, width: usize) -> String {
    if path.width() <= width {
        return path.into();
    }
    let separators = ['/', '\\'];
    let host = path.find("://").map_or(0, |at| at + 3);
    let rest = path.get(host..).unwrap_or_default();
    let first = rest.match_indices(separators).map(|(at, _)| host + at + 1).find(|at| *at > 1);
    let last = path.rfind(separators);
    let parts = first.zip(last).filter(|(first, last)| first <= last);
    let parts = parts.map(|(first, last)| format!("{}…{}", &path[..first], &path[last..]));
    parts.filter(|path| path.width() <= width).unwrap_or_else(|| shorten(path, width))
}

/// Returns the beginning and the end of a session id, which distinguish sessions.
pub fn shorten_session(id: &str) -> String {
    let bare = id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id);
    if bare.width() <= MAX_SESSION { bare.into() } else { shorten(bare, MAX_SESSION) }
}

const MAX_SESSION: usize = 9;
