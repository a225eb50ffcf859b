//! What holds of the database layer on every backend: one suite, run on each that is built in.

mod audit;
mod before_commit;
mod cut_short;
mod factories;
mod isolation;
mod repository;
mod schema;
mod suite;
mod typed;

use std::{ops::Deref, sync::Arc};

use paravel::{
    database::{Connection, Db, DbError, Statement},
    testing::TestDatabase,
};

use crate::database::config;

/// A database of a test's own.
pub struct Own<C: Connection> {
    // Before what it is connected to.
    pub db: Arc<Db<C>>,
    _database: TestDatabase,
}

impl<C: Connection> Deref for Own<C> {
    type Target = Arc<Db<C>>;

    fn deref(&self) -> &Arc<Db<C>> {
        &self.db
    }
}

/// An empty one with these settings; `None` where there is no server for it.
pub async fn empty<C: Connection>(more: &[(&str, &str)]) -> Option<Own<C>> {
    let database = TestDatabase::create(C::BACKEND).unwrap()?;
    let db = Arc::new(Db::new(config(database.url(), more)).unwrap());
    db.connect().await.unwrap();
    Some(Own { db, _database: database })
}

const SCHEMA: &str = "create table fleets (id bigint not null primary key);
    create table ships (name varchar(100) not null primary key, fleet bigint, foreign key (fleet) references fleets (id))";

/// One with a table of ships.
pub async fn with_ships<C: Connection>(more: &[(&str, &str)]) -> Option<Own<C>> {
    let own = empty::<C>(more).await?;
    own.db.write(async |c| Ok::<_, DbError>(c.batch_execute(SCHEMA).await?)).await.unwrap();
    Some(own)
}

pub fn ship(name: &str) -> Statement {
    Statement::new("insert into ships (name) values (?)").bind(name)
}

pub async fn insert<C: Connection>(c: &mut C, name: &str) -> Result<(), DbError> {
    c.run(&ship(name)).await?;
    Ok(())
}

pub async fn add<C: Connection>(db: &Db<C>, name: &str) -> Result<(), DbError> {
    let name = name.to_owned();
    db.write(async move |c| insert(c, &name).await).await
}

pub async fn names<C: Connection>(db: &Db<C>) -> Vec<String> {
    let query = Statement::new("select name from ships order by name");
    let rows = db.read(async |c| Ok::<_, DbError>(c.fetch(&query).await?)).await.unwrap();
    rows.iter().map(|row| row.text("name").to_owned()).collect()
}

/// The tests of these names on each backend.
macro_rules! on_every_backend {
    ($($module:ident::$test:ident,)*) => {
        #[cfg(feature = "sqlite")]
        on_every_backend!(sqlite, paravel::database::SqliteConn, $($module::$test,)*);
        #[cfg(feature = "postgres")]
        on_every_backend!(postgres, paravel::database::PgConn, $($module::$test,)*);
        #[cfg(feature = "mysql")]
        on_every_backend!(mysql, paravel::database::MysqlConn, $($module::$test,)*);
    };
    ($backend:ident, $connection:ty, $($module:ident::$test:ident,)*) => {
        mod $backend {
            $(#[tokio::test]
            async fn $test() {
                super::$module::$test::<$connection>().await;
            })*
        }
    };
}

on_every_backend! {
    suite::what_was_written_is_read,
    suite::a_reader_cannot_write,
    suite::an_error_and_a_panic_roll_back,
    suite::a_savepoint_rolls_back_alone,
    suite::a_call_inside_a_closure_is_refused,
    suite::violations_are_told_apart,
    suite::an_error_that_was_passed_over_keeps_the_rest_or_is_answered,
    suite::a_nested_transaction_left_half_way_keeps_nothing,
    suite::raw_values_come_back_as_they_were_bound,
    suite::transactions_in_each_others_way_are_run_again,
    isolation::two_that_could_not_have_run_one_after_the_other_do,
    isolation::a_level_is_that_of_one_transaction,
    isolation::a_level_says_what_is_seen,
    isolation::what_may_only_be_read_is_told_apart,
    suite::a_conflict_that_was_passed_over_is_not_answered_as_done,
    suite::migrations_go_up_and_down,
    suite::two_migrators_at_once_apply_each_migration_once,
    schema::a_migration_that_fails_says_what_is_left_of_it,
    schema::a_table_is_described,
    schema::a_database_tells_its_load,
    suite::a_wipe_leaves_nothing,
    suite::a_database_shows_its_tables,
    suite::queries_are_counted_without_those_of_the_driver,
    suite::hooks_run_after_the_commit,
    before_commit::hooks_run_at_the_end_of_the_transaction_and_inside_it,
    before_commit::a_hook_that_fails_rolls_back_and_one_that_is_rolled_back_does_not_run,
    before_commit::a_savepoint_that_is_rolled_back_drops_its_hooks,
    before_commit::a_hook_that_rolls_back_a_savepoint_of_its_own_takes_none_with_it,
    before_commit::a_hook_comes_back_where_no_transaction_of_its_database_is_open,
    audit::audited_calls_are_kept_as_they_were,
    cut_short::a_write_that_was_begun_is_finished_although_its_caller_goes_away,
    cut_short::a_read_cut_short_at_any_point_leaves_nothing_open,
    cut_short::a_query_that_is_dropped_inside_a_write_does_no_harm,
    cut_short::readers_that_are_all_taken_are_waited_for_and_no_longer,
    cut_short::closing_does_what_waits_and_refuses_what_comes_later,
    factories::the_same_seed_gives_the_same_rows_in_chunks_of_any_size,
    factories::children_belong_to_their_parents,
    factories::what_was_made_is_what_is_in_the_database,
    factories::a_row_that_fails_leaves_nothing_of_its_batch,
    factories::a_batch_joins_a_transaction,
    factories::more_rows_than_a_statement_may_have_values,
}
