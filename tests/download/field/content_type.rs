//! Content-Type.

use bits_proto::download::field::{ContentType, FieldName};
use bits_proto::error::ErrorKind;

use super::check_refused;

#[test]
fn a_content_type_cannot_hold_another_line() {
    check_refused::<ContentType<'_>>(
        FieldName::ContentType,
        &[
            ("", ErrorKind::Empty, 0),
            ("text/plain\r\nX: 1", ErrorKind::InvalidByte, 10),
            (" text/plain", ErrorKind::InvalidByte, 0),
        ],
    );
}
