use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use paravel::{
    container::ContainerBuilder,
    database::{Connection, DatabaseAdmin, DbError, Migration, Migrator, QueryWatch, Statement, Value, after_commit},
    support::SystemClock,
};
use tokio::sync::Barrier;

use super::{Own, add, empty, insert, names, ship, with_ships};

pub async fn what_was_written_is_read<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let changed = db
        .write(async |c| {
            insert(c, "Dawn Treader").await?;
            insert(c, "Swanwhite").await?;
            Ok::<_, DbError>(c.run(&Statement::new("update ships set name = lower(name)")).await?)
        })
        .await
        .unwrap();
    assert_eq!((changed, names(&db).await), (2, vec!["dawn treader".to_owned(), "swanwhite".to_owned()]));
}

pub async fn a_reader_cannot_write<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_READERS", "1")]).await else { return };
    add(&db, "x").await.unwrap();
    for statement in [
        "insert into ships (name) values ('y')",
        "update ships set name = 'y'",
        "delete from ships",
        "drop table ships",
    ] {
        let alone = db.read(async |c| Ok::<_, DbError>(c.run(&Statement::new(statement)).await?)).await;
        alone.expect_err(statement);
        let nested = db
            .read(async |c| c.transaction(async |c| Ok::<_, DbError>(c.run(&Statement::new(statement)).await?)).await)
            .await;
        nested.expect_err(statement);
        assert_eq!(names(&db).await, ["x"], "{statement}");
    }
}

pub async fn an_error_and_a_panic_roll_back<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    let failed = db
        .write(async |c| {
            insert(c, "x").await?;
            Err::<(), _>(DbError::Closed)
        })
        .await;
    assert!(matches!(failed, Err(DbError::Closed)), "its own error: {failed:?}");
    let panicked: Result<(), DbError> = db
        .write(async |c| {
            insert(c, "x").await?;
            panic!("overboard")
        })
        .await;
    assert!(matches!(panicked, Err(DbError::Panicked { message }) if message == "overboard"));
    let inside: Result<(), DbError> = db
        .write(async |c| {
            c.transaction(async |c| {
                insert(c, "x").await?;
                panic!("further inside")
            })
            .await
        })
        .await;
    assert!(matches!(inside, Err(DbError::Panicked { .. })));
    add(&db, "y").await.unwrap();
    assert_eq!(names(&db).await, ["y"]);
}

pub async fn a_savepoint_rolls_back_alone<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    db.write(async |c| {
        insert(c, "a").await?;
        let inner = c
            .transaction(async |c| {
                insert(c, "b").await?;
                let innermost = c.transaction(async |c| insert(c, "b").await).await;
                assert!(innermost.unwrap_err().is_unique_violation());
                insert(c, "c").await?;
                Err::<(), _>(DbError::Closed)
            })
            .await;
        assert!(matches!(inner, Err(DbError::Closed)));
        c.transaction(async |c| insert(c, "d").await).await
    })
    .await
    .unwrap();
    assert_eq!(names(&db).await, ["a", "d"]);
}

pub async fn a_call_inside_a_closure_is_refused<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let inner = Arc::clone(&db);
    let in_write: Result<(), DbError> = db.write(async move |_| add(&inner, "x").await).await;
    assert!(matches!(in_write, Err(DbError::NestedTransaction)));
    let in_read: Result<(), DbError> = db.read(async |_| add(&db, "x").await).await;
    assert!(matches!(in_read, Err(DbError::NestedTransaction)));
    assert!(names(&db).await.is_empty());
}

pub async fn violations_are_told_apart<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    add(&db, "x").await.unwrap();
    let unique = add(&db, "x").await.unwrap_err();
    assert!(unique.is_unique_violation() && !unique.is_foreign_key_violation() && !unique.is_transient());
    let orphan = Statement::new("insert into ships (name, fleet) values (?, ?)").bind("y").bind(1);
    let foreign = db.apply(Some(orphan), "select 1".to_owned()).await.unwrap_err();
    assert!(foreign.is_foreign_key_violation() && !foreign.is_unique_violation(), "{foreign:?}");
    assert_eq!(names(&db).await, ["x"]);
}

/// PostgreSQL has given up the whole transaction then, and answers its COMMIT as if it had not.
pub async fn an_error_that_was_passed_over_keeps_the_rest_or_is_answered<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let passed_over = db
        .write(async |c| {
            insert(c, "x").await?;
            assert!(insert(c, "x").await.is_err());
            Ok::<_, DbError>(())
        })
        .await;
    let expected: &[&str] = if passed_over.is_ok() { &["x"] } else { &[] };
    assert_eq!(names(&db).await, expected, "{passed_over:?}");
    add(&db, "y").await.unwrap();
}

pub async fn a_nested_transaction_left_half_way_keeps_nothing<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    let left = db
        .write(async |c| {
            insert(c, "a").await?;
            let nested = c.transaction(async |c| {
                insert(c, "b").await?;
                std::future::pending::<Result<(), DbError>>().await
            });
            // It gets as far as it can, and is dropped.
            let limit = std::time::Duration::from_millis(200);
            assert!(tokio::time::timeout(limit, nested).await.is_err());
            Ok::<_, DbError>(())
        })
        .await;
    assert!(matches!(left, Err(DbError::Unfinished)), "{left:?}");
    add(&db, "c").await.unwrap();
    assert_eq!(names(&db).await, ["c"]);
}

pub async fn raw_values_come_back_as_they_were_bound<C: Connection>() {
    let Some(db) = empty::<C>(&[]).await else { return };
    let bytes = if C::BACKEND == "postgres" { "bytea" } else { "blob" };
    let table = format!("create table raw (n bigint, r double precision, t text, b {bytes}, m bigint, u varchar(9))");
    db.write(async move |c| Ok::<_, DbError>(c.batch_execute(&table).await?)).await.unwrap();
    let insert = Statement::new("insert into raw (n, r, t, b, m, u) values (?, ?, ?, ?, ?, ?)")
        .bind(i64::MIN)
        .bind(Value::Real(-1.5))
        .bind("it's 'quoted?' — ünïcode")
        .bind(vec![0_u8, 255])
        .bind(Value::Null)
        .bind(Value::Null);
    db.apply(Some(insert), "select 1".to_owned()).await.unwrap();
    // A question mark in a literal is text.
    let query = Statement::new(
        "select n, r, t, b, m, u, '?' as q, count(*) as c from raw where t = ? and n <> ? group by n, r, t, b, m, u",
    );
    let rows = db.fetch(query.bind("it's 'quoted?' — ünïcode").bind(7)).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.integer("n"), row.text("t"), row.text("q")), (i64::MIN, "it's 'quoted?' — ünïcode", "?"));
    assert_eq!((row.get("b"), row.get("r")), (&Value::Bytes(vec![0, 255]), &Value::Real(-1.5)));
    assert_eq!((row.get("m"), row.get("u"), row.integer("c")), (&Value::Null, &Value::Null, 1));
    let sum =
        db.fetch(Statement::new("select sum(n) as s, avg(r) as a, max(n) as m from raw where n > 0")).await.unwrap();
    assert_eq!((sum[0].get("s"), sum[0].get("a"), sum[0].get("m")), (&Value::Null, &Value::Null, &Value::Null));
    let sum =
        db.fetch(Statement::new("select sum(n) as s from (select 40 as n union all select 2) as two")).await.unwrap();
    assert_eq!(sum[0].integer("s"), 42, "{sum:?}");
}

/// Two transactions that take two rows in opposite orders; the one that is given up is run again.
pub async fn transactions_in_each_others_way_are_run_again<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    if C::BACKEND == "sqlite" {
        println!("left out: SQLite has one writer, so that none is in another's way");
        return;
    }
    add(&db, "a").await.unwrap();
    add(&db, "b").await.unwrap();
    let both = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicUsize::new(0));
    let turn = |first: &'static str, second: &'static str| {
        let (both, runs) = (Arc::clone(&both), Arc::clone(&runs));
        db.transaction(async move |c| {
            let take = |name: &str| Statement::new("update ships set fleet = null where name = ?").bind(name);
            let run = runs.fetch_add(1, Ordering::Relaxed);
            c.run(&take(first)).await?;
            if run < 2 {
                both.wait().await;
            }
            c.run(&take(second)).await?;
            Ok::<_, DbError>(())
        })
    };
    let (one, two) = tokio::join!(turn("a", "b"), turn("b", "a"));
    one.unwrap();
    two.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}

/// As above, by a closure that goes on as if nothing had happened.
pub async fn a_conflict_that_was_passed_over_is_not_answered_as_done<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    if C::BACKEND == "sqlite" {
        println!("left out: SQLite has one writer, so that none is in another's way");
        return;
    }
    add(&db, "a").await.unwrap();
    add(&db, "b").await.unwrap();
    let both = Arc::new(Barrier::new(2));
    let turn = |first: &'static str, second: &'static str| {
        let both = Arc::clone(&both);
        db.write(async move |c| {
            let take = |name: &str| Statement::new("update ships set fleet = null where name = ?").bind(name);
            insert(c, &format!("before {first}")).await?;
            c.run(&take(first)).await?;
            both.wait().await;
            let _ = c.run(&take(second)).await;
            let _ = insert(c, &format!("after {first}")).await;
            Ok::<_, DbError>(())
        })
    };
    let (one, two) = tokio::join!(turn("a", "b"), turn("b", "a"));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let kept = if one.is_ok() { ["a", "after a", "b", "before a"] } else { ["a", "after b", "b", "before b"] };
    assert_eq!(names(&db).await, kept);
}

static MIGRATIONS: &[Migration] = &[
    Migration::new("1_fleets", "create table fleets (id bigint not null primary key)", "drop table fleets", &[], &[]),
    Migration::new(
        "2_ships",
        "create table ships (name varchar(100) not null primary key); insert into ships (name) values ('x')",
        "drop table ships",
        &[(
            "mysql",
            "create table ships (name varchar(100) not null primary key); insert into ships (name) values ('m')",
        )],
        &[],
    ),
];

fn migrator<C: Connection>(db: &Own<C>) -> Migrator {
    Migrator::new(Arc::clone(&db.db) as _, Arc::new(SystemClock), MIGRATIONS)
}

pub async fn migrations_go_up_and_down<C: Connection>() {
    let Some(db) = empty::<C>(&[]).await else { return };
    let migrator = migrator(&db);
    assert!(migrator.status().await.unwrap().iter().all(|one| one.state == "pending"));
    assert_eq!(migrator.migrate().await.unwrap(), ["1_fleets", "2_ships"]);
    assert!(migrator.migrate().await.unwrap().is_empty());
    assert!(migrator.status().await.unwrap().iter().all(|one| one.state == "applied" && one.batch == Some(1)));
    let expected = if C::BACKEND == "mysql" { "m" } else { "x" };
    assert_eq!(names(&db).await, [expected], "the script of the backend, all of it");
    add(&db, "y").await.unwrap();
    assert_eq!(migrator.fresh().await.unwrap().len(), 2);
    assert_eq!(names(&db).await, [expected]);
    assert_eq!(migrator.rollback(1).await.unwrap(), ["2_ships", "1_fleets"]);
    assert_eq!(db.info().await.unwrap().tables.keys().collect::<Vec<_>>(), ["migrations"]);
}

pub async fn two_migrators_at_once_apply_each_migration_once<C: Connection>() {
    let Some(db) = empty::<C>(&[]).await else { return };
    let (one, two) = (migrator(&db), migrator(&db));
    let (one, two) = tokio::join!(one.migrate(), two.migrate());
    assert_eq!(one.unwrap().len() + two.unwrap().len(), 2);
    assert_eq!(names(&db).await.len(), 1);
}

pub async fn a_wipe_leaves_nothing<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let quote = C::quoted("odd ?name");
    // On PostgreSQL such a column has a sequence of its own, which stands before its table.
    let numbered = match C::BACKEND {
        "postgres" => "bigint generated by default as identity primary key",
        "mysql" => "bigint not null auto_increment primary key",
        _ => "integer primary key autoincrement",
    };
    let more = format!(
        "create view every_ship as select name from ships; create table {quote} (id {numbered});
         insert into fleets (id) values (1); insert into ships (name, fleet) values ('x', 1)"
    );
    db.apply(None, more).await.unwrap();
    assert_eq!(db.info().await.unwrap().tables["odd ?name"], 0);
    db.wipe().await.unwrap();
    assert!(db.info().await.unwrap().tables.is_empty());
    db.apply(None, super::SCHEMA.to_owned()).await.unwrap();
    assert!(add(&db, "x").await.is_ok());
}

pub async fn a_database_shows_its_tables<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    add(&db, "x").await.unwrap();
    let info = db.info().await.unwrap();
    assert_eq!((info.backend, info.tables["ships"].as_i64(), info.tables.len()), (C::BACKEND, Some(1), 2));
    assert!(info.settings["version"].as_str().is_some_and(|version| !version.is_empty()), "{info:?}");
}

pub async fn queries_are_counted_without_those_of_the_driver<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_IDLE_TIMEOUT", "1ms")]).await else { return };
    let app = ContainerBuilder::new().freeze().unwrap().scope();
    app.run(async {
        add(&db, "x").await.unwrap();
        names(&db).await;
        names(&db).await;
    })
    .await;
    let watch = app.current_scope().unwrap().get::<QueryWatch>().unwrap();
    assert_eq!(watch.count(), 3);
}

pub async fn hooks_run_after_the_commit<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let app = ContainerBuilder::new().freeze().unwrap().scope();
    let ran = Arc::new(AtomicUsize::new(0));
    let hook = |by: usize| {
        let ran = Arc::clone(&ran);
        async move {
            ran.fetch_add(by, Ordering::Relaxed);
        }
    };
    let (kept, undone, lost) = (hook(1), hook(10), hook(100));
    let during = Arc::clone(&ran);
    app.run(async {
        db.write(async move |c| {
            c.run(&ship("x")).await?;
            after_commit(kept).await.unwrap();
            let nested = c.transaction(async move |_| {
                after_commit(undone).await.unwrap();
                Err::<(), _>(DbError::Closed)
            });
            assert!(nested.await.is_err());
            assert_eq!(during.load(Ordering::Relaxed), 0, "none before the commit");
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        let failed: Result<(), DbError> = db
            .write(async move |_| {
                after_commit(lost).await.unwrap();
                Err(DbError::Closed)
            })
            .await;
        assert!(failed.is_err());
    })
    .await;
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}
