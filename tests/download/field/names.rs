//! The names of the fields.

use bits_proto::download::field::FieldName;

#[test]
fn every_field_of_downloads_is_found_by_its_name_in_any_case() {
    for field in FieldName::ALL {
        assert_eq!(FieldName::from_name(field.as_str()), Some(*field));
        assert_eq!(FieldName::from_name(&field.as_str().to_uppercase()), Some(*field));
        assert_eq!(FieldName::from_name(&field.as_str().to_lowercase()), Some(*field));
        assert_eq!(FieldName::from_name(&format!("{field}x")), None);
    }
}
