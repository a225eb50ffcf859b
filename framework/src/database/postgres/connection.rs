use diesel::{
    QueryResult,
    pg::{Pg, PgTypeMetadata},
    serialize::{self, Output, ToSql},
    sql_types::{HasSqlType, Nullable, SingleValue, SqlType, is_nullable},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::BoxFuture;

use super::{PgDriver, catalogue, placeholders::numbered};
use crate::database::{
    Connection, Row, Statement,
    raw::{self, Bound},
};

/// A PostgreSQL connection: diesel-async's own.
pub type PgConn = diesel_async::AsyncPgConnection;

impl Connection for PgConn {
    type Driver = PgDriver;

    const BACKEND: &'static str = "postgres";
    // The protocol counts them in 16 bits.
    const MAX_BINDS: usize = 65_535;
    const TABLES: &'static str =
        "select tablename::text as name from pg_tables where schemaname = current_schema() order by 1";
    const COLUMNS: &'static str = catalogue::COLUMNS;
    const INDEXES: &'static str = catalogue::INDEXES;
    const FOREIGN_KEYS: &'static str = catalogue::FOREIGN_KEYS;

    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>> {
        Box::pin(async move { bound(statement).execute(self).await })
    }

    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>> {
        Box::pin(async move { bound(statement).load(self).await })
    }

    fn lock_migrations(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        // It ends with the transaction.
        let lock = "select pg_advisory_xact_lock(hashtext('paravel.migrations.' || current_schema()))";
        Box::pin(async move { self.batch_execute(lock).await })
    }

    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(async move { self.batch_execute(DROP_EVERYTHING).await })
    }
}

/// Drops what migrations make in the schema, and leaves what belongs to an extension. The sequence of an identity
/// column belongs to its column ('i'), and cannot be dropped but with it.
const DROP_EVERYTHING: &str = "do $$
declare object record;
begin
    for object in
        select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
                    when 'S' then 'sequence' else 'table' end as kind, c.relname as name
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                and (d.deptype = 'e' or c.relkind = 'S' and d.deptype = 'i'))
        union all
        select 'type', t.typname
        from pg_type t
        where t.typnamespace = current_schema()::regnamespace and t.typtype in ('e', 'd')
            and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid
                and d.deptype = 'e')
    loop
        execute format('drop %s if exists %I cascade', object.kind, object.name);
    end loop;
end $$";

/// A value whose type the server finds out: of a NULL, nothing else says what it would be.
#[derive(Debug)]
enum Untyped {}

impl SqlType for Untyped {
    type IsNull = is_nullable::NotNull;
}

impl SingleValue for Untyped {}

impl diesel::query_builder::QueryId for Untyped {
    type QueryId = Self;
}

impl HasSqlType<Untyped> for Pg {
    fn metadata(_: &mut Self::MetadataLookup) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

impl ToSql<Self, Pg> for Untyped {
    fn to_sql<'b>(&'b self, _: &mut Output<'b, '_, Pg>) -> serialize::Result {
        match *self {}
    }
}

fn bound(statement: &Statement) -> Bound<Pg> {
    let null = |query: Bound<Pg>| query.bind::<Nullable<Untyped>, _>(None::<Untyped>);
    raw::bound(&numbered(statement.sql()), statement.values(), null)
}
