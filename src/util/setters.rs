//! Setters for option structs.

/// Defines a `const fn with_…(self, value) -> Self` for each field that is listed.
///
/// Option structs are `#[non_exhaustive]`, so other crates cannot use struct update syntax.
macro_rules! setters {
    ($type:ident $(<$life:lifetime>)? { $( $setter:ident: $field:ident: $value:ty, )+ }) => {
        impl $(<$life>)? $type $(<$life>)? {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub const fn $setter(self, $field: $value) -> Self {
                    Self { $field, ..self }
                }
            )+
        }
    };
}
pub(crate) use setters;
