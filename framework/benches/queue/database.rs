//! Queues in a database of this benchmark's own.

use std::sync::Arc;

use futures_util::future::FutureExt;
use paravel::{
    config::DatabaseConfig,
    database::{Connection, DatabaseAdmin, Db, DbError, Migrator, Statement, TOOLKIT_MIGRATIONS},
    queue::{DatabaseDriver, Driver},
    support::{Env, SystemClock},
    testing::TestDatabase,
};

use super::{BULK, Bare, JOBS, Result, Stored, Subject};

fn open<C: Connection>(url: &str) -> Result<Arc<Db<C>>> {
    Ok(Arc::new(Db::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?))
}

pub fn driver<C: Connection>(url: &str) -> Result<Arc<dyn Driver>> {
    Ok(Arc::new(DatabaseDriver::new(open::<C>(url)?, Arc::new(SystemClock))))
}

pub async fn subject<C: Connection>(budgets: [Option<f64>; 3]) -> Result<Option<Subject>> {
    let Some(own) = TestDatabase::create(C::BACKEND)? else { return Ok(None) };
    let db = open::<C>(own.url())?;
    Migrator::new(Arc::clone(&db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await?;
    let admin: Arc<dyn DatabaseAdmin> = Arc::clone(&db) as _;
    let subject =
        Subject::new(C::BACKEND, Arc::new(DatabaseDriver::new(Arc::clone(&db), Arc::new(SystemClock))), budgets);
    let bytes = match C::BACKEND {
        "postgres" => "bytea",
        _ => "blob",
    };
    let key = match C::BACKEND {
        "postgres" => "bigserial primary key",
        "mysql" => "bigint primary key auto_increment",
        _ => "integer primary key autoincrement",
    };
    admin.apply(None, format!("create table bare (id {key}, payload {bytes} not null)")).await?;
    let rows = vec!["(?)"; BULK].join(", ");
    let insert = Statement::new(format!("insert into bare (payload) values {rows}"));
    let insert = (0..BULK).fold(insert, |insert, _| insert.bind(vec![b'x'; 100]));
    let bare: Bare = (
        "rows put in by 1,000",
        Box::new(move || {
            let (db, insert) = (Arc::clone(&db), insert.clone());
            async move {
                for _ in 0..JOBS as usize / BULK {
                    let insert = insert.clone();
                    db.write(async move |c| Ok::<_, DbError>(c.run(&insert).await?)).await?;
                }
                Ok(())
            }
            .boxed()
        }),
    );
    let size = match C::BACKEND {
        "postgres" => "select pg_total_relation_size('queue_jobs') as n",
        "mysql" => {
            "select data_length + index_length as n from information_schema.tables \
             where table_schema = database() and table_name = 'queue_jobs'"
        }
        _ => {
            "select (select page_count from pragma_page_count) * (select page_size from pragma_page_size) \
             - (select freelist_count from pragma_freelist_count) * (select page_size from pragma_page_size) as n"
        }
    };
    let stored: Stored = Box::new(move || {
        let admin: Arc<dyn DatabaseAdmin> = Arc::clone(&admin);
        async move {
            if C::BACKEND == "mysql" {
                // Else it is what the statistics were when they were last made.
                admin.fetch(Statement::new("analyze table queue_jobs")).await.ok()?;
            }
            Some(admin.fetch(Statement::new(size)).await.ok()?.first()?.integer("n").cast_unsigned())
        }
        .boxed()
    });
    Ok(Some(Subject { stored, bare, place: Some(own.url().to_owned()), _kept: Box::new(own), ..subject }))
}
