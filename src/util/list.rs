//! The items of a comma-separated list: `item *( OWS "," OWS item )`. Empty items are ignored.

/// Removes commas and white space from the start of a list.
pub(crate) fn skip_separators(mut text: &[u8]) -> &[u8] {
    while let [b',' | b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Returns the text from the end of an item on, without white space. An error is the text that is
/// neither a comma nor the end of the list.
pub(crate) fn end_item(mut rest: &[u8]) -> Result<&[u8], &[u8]> {
    while let [b' ' | b'\t', tail @ ..] = rest {
        rest = tail;
    }
    if matches!(rest, [] | [b',', ..]) { Ok(rest) } else { Err(rest) }
}
