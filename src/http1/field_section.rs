//! Parsing of fields without a start line.

use super::HeadVisitor;
use crate::error::{Error, ErrorKind};
use crate::util::external::external;

/// The maximum number of fields.
const MAX_FIELDS: usize = 16;

/// Parses a complete field section, such as the head of a part. `bytes` ends with the empty line, and
/// every line ends in CR LF.
pub(crate) fn parse_field_section<'b, V: HeadVisitor<'b>>(bytes: &'b [u8]) -> Result<V, Error> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let error = |kind| Err(Error::http(kind, None));
    match external(|| httparse::parse_headers(bytes, &mut slots)) {
        Ok(httparse::Status::Complete((_, fields))) => {
            let mut visitor = V::new();
            for field in fields {
                visitor.visit(field.name.as_bytes(), field.value);
            }
            Ok(visitor)
        }
        Err(httparse::Error::TooManyHeaders) => {
            error(ErrorKind::TooManyFields).map_err(|it| it.with_number(MAX_FIELDS as u64))
        }
        Ok(httparse::Status::Partial) | Err(_) => error(ErrorKind::Syntax),
    }
}
