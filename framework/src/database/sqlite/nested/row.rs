use serde::de::DeserializeOwned;

use super::field::{Field, FromJson};

/// A tuple of values that can be read from a JSON array of columns of the types `ST`: what diesel's `Queryable` makes a
/// struct from.
#[diagnostic::on_unimplemented(
    message = "a struct of the fields `{Self}` cannot be nested",
    note = "each field needs `FromJson` for its column's type, and there may be 16 of them"
)]
pub trait FromJsonRow<ST>: Sized {
    /// The values as serde reads them.
    type Fields: DeserializeOwned;

    /// The values themselves.
    fn of(fields: Self::Fields) -> Self;
}

/// Calls a macro with the names and the places in a tuple of each length that serde reads.
macro_rules! of_every_length {
    ($macro:ident) => {
        $macro! {
            (A 0)
            (A 0, B 1)
            (A 0, B 1, C 2)
            (A 0, B 1, C 2, D 3)
            (A 0, B 1, C 2, D 3, E 4)
            (A 0, B 1, C 2, D 3, E 4, F 5)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
            (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
        }
    };
}
pub(super) use of_every_length;

/// The SQL types beside the values' own.
macro_rules! tuples {
    ($(($($value:ident $index:tt),*))*) => {
        $(tuples!(@ $($value $index),*; S0 S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S11 S12 S13 S14 S15;);)*
    };
    (@ $value:ident $index:tt $(, $more:ident $more_index:tt)*; $sql:ident $($rest:ident)*; $($done:tt)*) => {
        tuples!(@ $($more $more_index),*; $($rest)*; $($done)* ($value $index $sql));
    };
    (@; $($unused:ident)*; $(($value:ident $index:tt $sql:ident))*) => {
        impl<$($value, $sql),*> FromJsonRow<($($sql,)*)> for ($($value,)*)
        where
            $($value: FromJson<$sql>,)*
        {
            type Fields = ($(Field<$value, $sql>,)*);

            fn of(fields: Self::Fields) -> Self {
                ($(fields.$index.value,)*)
            }
        }
    };
}

of_every_length!(tuples);
