/// Functions for what a table is nearly always asked for, on an application's connection type.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use diesel::prelude::*;
/// use diesel_async::RunQueryDsl;
/// use paravel::database::{Db, DbError, SqliteConn as Conn};
///
/// diesel::table! {
///     ships (id) { id -> BigInt, name -> Text, guns -> Integer }
/// }
///
/// #[derive(Queryable, Selectable, Insertable)]
/// #[diesel(table_name = ships)]
/// struct Ship {
///     id: i64,
///     name: String,
///     guns: i32,
/// }
///
/// #[derive(AsChangeset)]
/// #[diesel(table_name = ships)]
/// struct ShipEdit {
///     name: Option<String>,
/// }
///
/// paravel::repository! {
///     /// The rows of `ships`.
///     struct Ships for Conn {
///         table: ships,
///         key: id: i64,
///         row: Ship,
///         insert: Ship,
///         change: ShipEdit,
///         sorts: { by_name(name: String) },
///     }
/// }
///
/// async fn refit(db: &Db<Conn>, id: i64) -> Result<bool, DbError> {
///     db.write(async move |c| {
///         let Some(ship) = Ships::find(c, id).await? else { return Ok(false) };
///         // Any query of diesel's stands beside them, in the same transaction.
///         diesel::update(ships::table.find(ship.id)).set(ships::guns.eq(ship.guns + 1)).execute(c).await?;
///         Ok(true)
///     })
///     .await
/// }
/// # }
/// ```
///
/// Every function takes the connection, and so joins whatever transaction that is in, and fails with
/// [`DbError`](crate::database::DbError). There are:
///
/// - `all()`: diesel's boxed query of all rows, to put conditions to;
/// - `find(c, key)`, `exists(c, key)`, `delete(c, key)`;
/// - `find_many(c, keys)`: the rows of these keys in the order of the keys, those that are missing left out, and a row
///   whose key comes twice once;
/// - `paginate(c, page)` in the key's order, and `paginate_where(c, page, || rows, |rows| sorted)`;
/// - `cursor_paginate(c, request)` in the key's order, and `cursor_paginate_where(c, request, order, rows)`;
/// - with `insert`: `create(c, row)` and `create_many(c, rows)`, in as many statements as the backend needs;
/// - with `change`: `update(c, key, change)`, which says whether there is such a row;
/// - for each of `sorts`, a function of its name, that pages by cursor in the order of a column:
///   `by_name(c, request, order, rows)`. The column must not be nullable, and needs an index with the key behind it, if
///   the table is long.
///
/// What one would write by hand is no more than diesel's `table.find(key).select(Row::as_select()).first(c)`; pages by
/// cursor are at [`Seek`](crate::database::Seek). The key is one column. `insert`, `change` and `sorts` may be left
/// out, in this order. A `change` whose every field is `None` changes nothing, and is no error.
#[macro_export]
macro_rules! repository {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident for $conn:ty {
            table: $table:path,
            key: $key:ident : $key_type:ty,
            row: $row:ty
            $(, insert: $insert:ty)?
            $(, change: $change:ty)?
            $(, sorts: { $($sorted:ident($column:ident : $value:ty)),* $(,)? })?
            $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $name;

        const _: () = {
            #[allow(unused_imports, reason = "which are used depends on the functions")]
            use $crate::{
                diesel::{
                    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
                },
                diesel_async::RunQueryDsl as _,
            };
            use $table as __table;

            type __Backend = <$conn as $crate::diesel_async::AsyncConnectionCore>::Backend;
            type __Boxed<'q> = __table::BoxedQuery<'q, __Backend>;
            type __Result<T> = ::std::result::Result<T, $crate::database::DbError>;

            #[allow(dead_code, reason = "few tables need all of these")]
            impl $name {
                /// A query of all rows, to put conditions to.
                pub fn all<'q>() -> __Boxed<'q> {
                    __table::table.into_boxed()
                }

                /// The row of this key.
                pub async fn find(c: &mut $conn, key: $key_type) -> __Result<::std::option::Option<$row>> {
                    let row = __table::table.find(key).select(<$row>::as_select());
                    Ok(row.first(c).await.optional()?)
                }

                /// The rows of these keys, in their order; those that are missing are left out, and none comes twice.
                pub async fn find_many(c: &mut $conn, keys: &[$key_type]) -> __Result<::std::vec::Vec<$row>> {
                    let mut rows: ::std::vec::Vec<$row> = ::std::vec::Vec::new();
                    for chunk in $crate::__private::repository::chunks::<$conn, _>(keys.iter().cloned()) {
                        let query = __table::table.filter(__table::$key.eq_any(chunk));
                        rows.extend(query.select(<$row>::as_select()).load(c).await?);
                    }
                    Ok($crate::__private::repository::in_order(keys, rows, |row| row.$key.clone()))
                }

                /// Whether there is a row of this key.
                pub async fn exists(c: &mut $conn, key: $key_type) -> __Result<bool> {
                    let query = $crate::diesel::dsl::exists(__table::table.find(key));
                    Ok($crate::diesel::select(query).get_result(c).await?)
                }

                /// Deletes the row of this key; whether there was one.
                pub async fn delete(c: &mut $conn, key: $key_type) -> __Result<bool> {
                    Ok($crate::diesel::delete(__table::table.find(key)).execute(c).await? > 0)
                }

                /// One page, in the order of the key.
                pub async fn paginate(
                    c: &mut $conn,
                    page: $crate::database::PageRequest,
                ) -> __Result<$crate::database::Page<$row>> {
                    Self::paginate_where(c, page, Self::all, |rows| rows.order(__table::$key.asc())).await
                }

                /// One page of those that `rows` is a query of, in the order that `sorted` gives it. That should end with
                /// the key, so that rows which are equal otherwise have one order on every page.
                pub async fn paginate_where<'q>(
                    c: &mut $conn,
                    page: $crate::database::PageRequest,
                    rows: impl Fn() -> __Boxed<'q> + Send,
                    sorted: impl FnOnce(__Boxed<'q>) -> __Boxed<'q> + Send,
                ) -> __Result<$crate::database::Page<$row>> {
                    let query = sorted(rows()).limit(page.limit()).offset(page.offset());
                    let total: i64 = rows().count().get_result(c).await?;
                    let rows = query.select(<$row>::as_select()).load(c).await?;
                    Ok($crate::database::Page::new(rows, page, total.unsigned_abs()))
                }

                /// One page by cursor, in the order of the key.
                pub async fn cursor_paginate(
                    c: &mut $conn,
                    request: &$crate::database::CursorRequest,
                ) -> __Result<$crate::database::CursorPage<$row>> {
                    let order = $crate::database::SortOrder::Ascending;
                    Self::cursor_paginate_where(c, request, order, Self::all()).await
                }

                /// One page by cursor of those that `rows` is a query of, in this order of the key.
                pub async fn cursor_paginate_where(
                    c: &mut $conn,
                    request: &$crate::database::CursorRequest,
                    order: $crate::database::SortOrder,
                    rows: __Boxed<'_>,
                ) -> __Result<$crate::database::CursorPage<$row>> {
                    let seek: $crate::database::Seek<$key_type> =
                        $crate::database::Seek::new(request, ::std::stringify!($key), order)?;
                    let key = __table::$key;
                    let rows = match (seek.position(), seek.ascending()) {
                        (None, true) => rows.order(key.asc()),
                        (None, false) => rows.order(key.desc()),
                        (Some(at), true) => rows.filter(key.gt(at)).order(key.asc()),
                        (Some(at), false) => rows.filter(key.lt(at)).order(key.desc()),
                    };
                    let rows = rows.limit(seek.limit()).select(<$row>::as_select()).load(c).await?;
                    Ok(seek.page(rows, |row| row.$key.clone()))
                }

                $(
                    /// Adds a row.
                    pub async fn create(c: &mut $conn, row: $insert) -> __Result<()> {
                        $crate::diesel::insert_into(__table::table).values(row).execute(c).await?;
                        Ok(())
                    }

                    /// Adds the rows, in their order; how many there were.
                    pub async fn create_many(c: &mut $conn, rows: ::std::vec::Vec<$insert>) -> __Result<usize> {
                        Ok($crate::database::InsertRows::<__table::table, _>::insert_rows(c, rows).await?)
                    }
                )?

                $(
                    /// Changes the row of this key; whether there is one.
                    pub async fn update(c: &mut $conn, key: $key_type, change: $change) -> __Result<bool> {
                        let update = $crate::diesel::update(__table::table.find(key.clone())).set(change);
                        if $crate::__private::repository::changes_nothing::<__Backend, _>(&update) {
                            return Self::exists(c, key).await;
                        }
                        Ok(update.execute(c).await? > 0)
                    }
                )?

                $($(
                    /// One page by cursor of those that `rows` is a query of, in this order of a column, rows that are
                    /// equal there in that of the key.
                    pub async fn $sorted(
                        c: &mut $conn,
                        request: &$crate::database::CursorRequest,
                        order: $crate::database::SortOrder,
                        rows: __Boxed<'_>,
                    ) -> __Result<$crate::database::CursorPage<$row>> {
                        let seek: $crate::database::Seek<($value, $key_type)> =
                            $crate::database::Seek::new(request, ::std::stringify!($column), order)?;
                        let (column, key) = (__table::$column, __table::$key);
                        let rows = match (seek.position(), seek.ascending()) {
                            (None, _) => rows,
                            // The first half lets an index be used; the second tells apart what is equal.
                            (Some((value, at)), true) => {
                                rows.filter(column.ge(value.clone()).and(column.gt(value).or(key.gt(at))))
                            }
                            (Some((value, at)), false) => {
                                rows.filter(column.le(value.clone()).and(column.lt(value).or(key.lt(at))))
                            }
                        };
                        let rows = match seek.ascending() {
                            true => rows.order((column.asc(), key.asc())),
                            false => rows.order((column.desc(), key.desc())),
                        };
                        let rows = rows.limit(seek.limit()).select(<$row>::as_select()).load(c).await?;
                        Ok(seek.page(rows, |row| (row.$column.clone(), row.$key.clone())))
                    }
                )*)?
            }
        };
    };
}
