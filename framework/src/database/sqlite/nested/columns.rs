use diesel::{
    Expression, QueryResult,
    query_builder::{AstPass, QueryFragment},
    sql_types::{BigInt, Binary, Bool, Double, Float, Integer, Nullable, SmallInt, Text, Timestamp},
    sqlite::Sqlite,
};

/// A SQL type that can stand in JSON.
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` cannot be nested",
    note = "whole and floating-point numbers, text, booleans, bytes and timestamps can, and what may be NULL of these"
)]
pub trait JsonForm {
    /// Whether it is written in hexadecimal digits: JSON has no bytes.
    const HEX: bool = false;
    /// Whether it may be `NULL`.
    const NULLABLE: bool = false;
}

impl JsonForm for SmallInt {}
impl JsonForm for Integer {}
impl JsonForm for BigInt {}
impl JsonForm for Float {}
impl JsonForm for Double {}
impl JsonForm for Bool {}
impl JsonForm for Text {}
impl JsonForm for Timestamp {}

impl JsonForm for Binary {
    const HEX: bool = true;
}

impl<ST: JsonForm + diesel::sql_types::SqlType> JsonForm for Nullable<ST> {
    const HEX: bool = ST::HEX;
    const NULLABLE: bool = true;
}

/// A tuple of expressions that SQLite can put into a JSON array: what diesel's `Selectable` makes of a struct.
///
/// ```
/// use paravel::database::JsonColumns;
///
/// diesel::table! {
///     ships (id) { id -> BigInt, built -> Date }
/// }
///
/// fn nests<T: JsonColumns>(_columns: T) {}
///
/// nests((ships::id,));
/// ```
///
/// What JSON has no form for does not compile:
///
/// ```compile_fail
/// # use paravel::database::JsonColumns;
/// # diesel::table! {
/// #     ships (id) { id -> BigInt, built -> Date }
/// # }
/// # fn nests<T: JsonColumns>(_columns: T) {}
/// nests((ships::id, ships::built));
/// ```
pub trait JsonColumns {
    /// Writes them with commas between.
    ///
    /// # Errors
    /// diesel's, of an expression that cannot be written.
    fn write<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

fn write_column<'b, E>(column: &'b E, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>
where
    E: Expression + QueryFragment<Sqlite>,
    E::SqlType: JsonForm,
{
    if !E::SqlType::HEX {
        return column.walk_ast(out);
    }
    if E::SqlType::NULLABLE {
        // hex(NULL) is an empty text.
        out.push_sql("iif(");
        column.walk_ast(out.reborrow())?;
        out.push_sql(" is null, null, ");
    }
    out.push_sql("hex(");
    column.walk_ast(out.reborrow())?;
    out.push_sql(if E::SqlType::NULLABLE { "))" } else { ")" });
    Ok(())
}

macro_rules! tuples {
    ($(($first:ident $first_index:tt $(, $column:ident $index:tt)*))*) => {
        $(impl<$first, $($column),*> JsonColumns for ($first, $($column,)*)
        where
            $first: Expression<SqlType: JsonForm> + QueryFragment<Sqlite>,
            $($column: Expression<SqlType: JsonForm> + QueryFragment<Sqlite>,)*
        {
            fn write<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                write_column(&self.$first_index, out.reborrow())?;
                $(out.push_sql(", ");
                write_column(&self.$index, out.reborrow())?;)*
                Ok(())
            }
        })*
    };
}

super::row::of_every_length!(tuples);
