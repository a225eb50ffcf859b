//! The toolkit's own types through diesel's query builder, whose queries name a backend.

macro_rules! typed {
    ($backend:ident, $connection:ty, $id:ident, $schema:literal) => {
        mod $backend {
            use diesel::prelude::*;
            use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
            use paravel::{
                database::DbError,
                support::{Id, Timestamp},
            };

            diesel::table! {
                logs (id) {
                    id -> $id,
                    ship -> Nullable<$id>,
                    at -> Timestamp,
                    until -> Nullable<Timestamp>,
                }
            }

            #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
            struct Log {
                id: Id<Log>,
                ship: Option<Id<String>>,
                at: Timestamp,
                until: Option<Timestamp>,
            }

            #[tokio::test]
            async fn ids_and_timestamps_come_back_as_they_went() {
                let Some(db) = super::super::empty::<$connection>(&[]).await else { return };
                let at: Timestamp = "2026-01-31T09:30:00.123456Z".parse().unwrap();
                let one = Log { id: Id::new(), ship: Some(Id::new()), at, until: Some(at) };
                let two = Log { id: Id::new(), ship: None, at: "1999-12-31T23:59:59Z".parse().unwrap(), until: None };
                let both = vec![one.clone(), two.clone()];
                db.write(async move |c| {
                    c.batch_execute($schema).await?;
                    for log in both {
                        diesel::insert_into(logs::table).values(log).execute(c).await?;
                    }
                    Ok::<_, DbError>(())
                })
                .await
                .unwrap();
                let all: Vec<Log> = db
                    .read(async |c| {
                        Ok::<_, DbError>(logs::table.order(logs::id).select(Log::as_select()).load(c).await?)
                    })
                    .await
                    .unwrap();
                assert_eq!(all, [one.clone(), two.clone()], "ids sort by time");
                let found: Log = db
                    .read(async |c| {
                        let query = logs::table.find(one.id).filter(logs::at.eq(at)).filter(logs::ship.eq(one.ship));
                        Ok::<_, DbError>(query.select(Log::as_select()).first(c).await?)
                    })
                    .await
                    .unwrap();
                assert_eq!(found, one);
                let early: Vec<Id<Log>> = db
                    .read(async |c| {
                        let query = logs::table.filter(logs::at.lt(at)).filter(logs::id.eq_any([one.id, two.id]));
                        Ok::<_, DbError>(query.select(logs::id).load(c).await?)
                    })
                    .await
                    .unwrap();
                assert_eq!(early, [two.id]);
                let raw = paravel::database::Statement::new("select at from logs where ship is not null");
                let rows = paravel::database::DatabaseAdmin::fetch(&**db, raw).await.unwrap();
                assert_eq!(rows[0].text("at"), "2026-01-31 09:30:00.123456");
            }
        }
    };
}

#[cfg(feature = "sqlite")]
typed!(
    sqlite,
    paravel::database::SqliteConn,
    Binary,
    "create table logs (id blob not null primary key, ship blob, at timestamp not null, until timestamp)"
);
#[cfg(feature = "postgres")]
typed!(
    postgres,
    paravel::database::PgConn,
    Uuid,
    "create table logs (id uuid not null primary key, ship uuid, at timestamp not null, until timestamp)"
);
#[cfg(feature = "mysql")]
typed!(
    mysql,
    paravel::database::MysqlConn,
    Binary,
    "create table logs (id binary(16) not null primary key, ship binary(16), at datetime(6) not null, until datetime(6))"
);
