//! What the start of a message looks like.

pub fn is_response(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let mark = b"HTTP/";
    start.starts_with(mark) || mark.starts_with(start)
}

pub fn starts_message(bytes: &[u8]) -> bool {
    let starts = [&b"HTTP/1."[..], b"BITS_POST ", b"POST ", b"GET ", b"HEAD "];
    starts.iter().any(|start| bytes.starts_with(start))
}
