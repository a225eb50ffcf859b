use std::marker::PhantomData;

use diesel::{
    AppearsOnTable, Expression, NullableExpressionMethods, QueryResult, Queryable, Selectable, SelectableExpression,
    backend::Backend,
    deserialize::{self, FromSql},
    dsl::{AssumeNotNull, Select, SingleValue},
    expression::{ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    query_dsl::methods::{SelectDsl, SingleValueDsl},
    sql_types::{HasSqlType, SqlType, is_nullable},
    sqlite::{Sqlite, SqliteType},
};

use super::{FromJsonRow, JsonColumns};

/// What [`nested`] returns: an expression for diesel's `select`, which is loaded as a `Vec<T>`.
pub type Nested<T, Q, O> =
    AssumeNotNull<SingleValue<Select<Q, JsonGroup<T, <T as Selectable<Sqlite>>::SelectExpression, O>>>>;

/// The rows of a query that belong to a row of the query around it, in an order: all in one round trip. SQLite alone has
/// it so far; for the other backends it does not compile.
///
/// `T` derives diesel's `Queryable` and `Selectable`, as for a query of its own, and is read from the same columns. What
/// cannot be carried by JSON is refused by the compiler.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_async::RunQueryDsl;
/// use paravel::database::{DbError, SqliteConn, nested};
///
/// diesel::table! {
///     fleets (id) { id -> BigInt, name -> Text }
/// }
/// diesel::table! {
///     ships (id) { id -> BigInt, fleet -> BigInt, name -> Text }
/// }
/// diesel::allow_tables_to_appear_in_same_query!(fleets, ships);
///
/// #[derive(Queryable, Selectable)]
/// struct Ship {
///     id: i64,
///     name: String,
/// }
///
/// async fn fleets_with_ships(c: &mut SqliteConn) -> Result<Vec<(String, Vec<Ship>)>, DbError> {
///     let theirs = ships::table.filter(ships::fleet.eq(fleets::id));
///     Ok(fleets::table.select((fleets::name, nested::<Ship, _, _>(theirs, ships::name))).load(c).await?)
/// }
/// ```
///
/// By hand it is `(select json_group_array(json_array(id, name) order by name) from ships where fleet = fleets.id)`, with
/// each value in a form that JSON has. A row that cannot be read fails the query, as a wrong column does; so does an
/// infinite number, which JSON has not.
pub fn nested<T, Q, O>(rows: Q, order: O) -> Nested<T, Q, O>
where
    T: Selectable<Sqlite> + 'static,
    Q: SelectDsl<JsonGroup<T, T::SelectExpression, O>>,
    Select<Q, JsonGroup<T, T::SelectExpression, O>>: SingleValueDsl,
    SingleValue<Select<Q, JsonGroup<T, T::SelectExpression, O>>>: NullableExpressionMethods,
{
    let group = JsonGroup { columns: T::construct_selection(), order, _row: PhantomData };
    // An aggregate of no rows is an empty array, and never NULL.
    SingleValueDsl::single_value(SelectDsl::select(rows, group)).assume_not_null()
}

/// The SQL type of nested rows: JSON that is read as a `Vec<T>`.
#[derive(Debug, Clone, Copy)]
pub struct JsonRows<T>(PhantomData<fn() -> T>);

impl<T: 'static> SqlType for JsonRows<T> {
    type IsNull = is_nullable::NotNull;

    const IS_ARRAY: bool = false;
}

impl<T: 'static> diesel::sql_types::SingleValue for JsonRows<T> {}

impl<T: 'static> QueryId for JsonRows<T> {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T: 'static> HasSqlType<JsonRows<T>> for Sqlite {
    fn metadata(_lookup: &mut ()) -> SqliteType {
        SqliteType::Text
    }
}

/// The SQL type of what a struct selects.
type SqlOf<T> = <<T as Selectable<Sqlite>>::SelectExpression as Expression>::SqlType;

impl<T> FromSql<JsonRows<T>, Sqlite> for Vec<T>
where
    T: Selectable<Sqlite> + Queryable<SqlOf<T>, Sqlite>,
    T::Row: FromJsonRow<SqlOf<T>>,
{
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let rows: Vec<<T::Row as FromJsonRow<SqlOf<T>>>::Fields> = serde_json::from_str(value.read_text())?;
        rows.into_iter().map(|fields| T::build(T::Row::of(fields))).collect()
    }
}

/// The aggregate that [`nested`] selects.
#[derive(Debug, Clone, Copy)]
pub struct JsonGroup<T, Columns, O> {
    columns: Columns,
    order: O,
    _row: PhantomData<fn() -> T>,
}

impl<T: 'static, Columns: Expression, O> Expression for JsonGroup<T, Columns, O> {
    type SqlType = JsonRows<T>;
}

impl<T, Columns, O, Source> AppearsOnTable<Source> for JsonGroup<T, Columns, O>
where
    Self: Expression,
    Columns: AppearsOnTable<Source>,
    O: AppearsOnTable<Source>,
{
}

impl<T, Columns, O, Source> SelectableExpression<Source> for JsonGroup<T, Columns, O>
where
    Self: AppearsOnTable<Source>,
    Columns: SelectableExpression<Source>,
{
}

impl<T, Columns, O, GroupBy> ValidGrouping<GroupBy> for JsonGroup<T, Columns, O> {
    type IsAggregate = is_aggregate::Yes;
}

impl<T, Columns: QueryId, O: QueryId> QueryId for JsonGroup<T, Columns, O> {
    // What is written depends on the columns and the order alone.
    type QueryId = JsonGroup<(), Columns::QueryId, O::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = Columns::HAS_STATIC_QUERY_ID && O::HAS_STATIC_QUERY_ID;
}

impl<T, Columns: JsonColumns, O: QueryFragment<Sqlite>> QueryFragment<Sqlite> for JsonGroup<T, Columns, O> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("json_group_array(json_array(");
        self.columns.write(out.reborrow())?;
        out.push_sql(") order by ");
        self.order.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}
