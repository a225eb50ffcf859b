//! What holds of a cache wherever it keeps its values: one suite, run on each store; and what holds of stores that processes
//! share.

mod down;
mod loads;
mod locks;
mod shared;
pub mod shelf;
pub mod stand;
mod tags;
#[cfg(feature = "redis")]
mod tiers;
mod time;
pub mod transactions;
mod values;

/// The tests of these names on each store.
macro_rules! on_every_store {
    ($($module:ident::$test:ident,)*) => {
        on_every_store!(@ memory, super::stand::memory(), $($module::$test,)*);
        on_every_shared_store! { $($module::$test,)* }
    };
    (@ $store:ident, $stand:expr, $($module:ident::$test:ident,)*) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(stand) = $stand.await {
                    super::$module::$test(stand).await;
                }
            })*
        }
    };
}

/// The tests of these names on each store that processes share.
macro_rules! on_every_shared_store {
    ($($module:ident::$test:ident,)*) => {
        #[cfg(feature = "sqlite")]
        on_every_store!(@ sqlite, super::stand::database::<paravel::database::SqliteConn>(), $($module::$test,)*);
        #[cfg(feature = "postgres")]
        on_every_store!(@ postgres, super::stand::database::<paravel::database::PgConn>(), $($module::$test,)*);
        #[cfg(feature = "mysql")]
        on_every_store!(@ mysql, super::stand::database::<paravel::database::MysqlConn>(), $($module::$test,)*);
        #[cfg(feature = "redis")]
        on_every_store!(@ redis, super::stand::redis(), $($module::$test,)*);
        #[cfg(feature = "redis")]
        on_every_store!(@ tiered, super::stand::tiered(), $($module::$test,)*);
    };
}

on_every_store! {
    values::what_is_put_is_got_as_the_same_type,
    values::several_are_got_at_once,
    values::a_value_ends_with_its_time,
    values::a_touched_value_stays,
    values::of_many_who_add_at_once_one_does,
    values::of_many_who_pull_at_once_one_gets_it,
    values::what_is_forgotten_or_flushed_is_gone,
    values::keys_are_told_apart_whatever_they_are,
    values::long_values_come_back_whole,
    values::counts_lose_nothing,
    values::a_number_that_was_loaded_is_counted_from_there,
    values::counts_with_tags_lose_nothing,
    values::what_is_no_number_is_not_counted,
    tags::what_has_an_invalidated_tag_is_gone,
    tags::tags_hold_however_they_are_read,
    tags::an_entry_that_is_no_longer_true_is_as_good_as_none,
    tags::to_invalidate_a_tag_is_one_step_however_many_have_it,
    loads::many_who_want_the_same_share_one_load,
    loads::an_error_is_for_all_who_waited_and_is_not_kept,
    loads::a_loader_that_panics_or_is_dropped_lets_the_next_load,
    loads::what_was_loaded_before_a_change_is_not_kept_after_it,
    loads::an_old_value_is_given_out_while_it_is_loaded_anew,
    loads::what_is_remembered_for_ever_is_loaded_until_it_is_forgotten,
    locks::a_lock_has_one_owner,
    locks::of_many_at_once_one_is_inside,
    locks::a_limit_lets_so_much_through_and_no_more,
    locks::limits_of_other_names_and_keys_are_others,
    locks::a_look_at_a_limit_begins_no_window,
    locks::a_limit_begins_anew_with_its_window,
    transactions::changes_wait_for_the_commit,
    transactions::what_is_loaded_in_one_was_not_found_and_is_not_kept,
    transactions::what_is_kept_is_found_in_one_unless_the_database_has_it,
    transactions::what_answers_at_once_is_done_for_good_or_is_an_error,
}

mod together {
    use super::{shared, stand};

    on_every_shared_store! {
        shared::what_one_process_changes_another_sees,
        shared::what_a_store_does_is_counted,
        shared::one_process_loads_for_all,
        shared::a_load_that_another_process_makes_old_is_not_kept,
        shared::a_process_that_dies_while_it_loads_keeps_nobody_waiting_for_long,
        shared::a_tag_whose_version_was_lost_revives_nothing,
        shared::what_cannot_be_read_is_a_miss,
        shared::versions_and_names_keep_caches_apart,
        shared::locks_and_limits_are_everybodys,
    }
}
