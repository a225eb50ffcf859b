use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use diesel::{
    backend::Backend,
    query_builder::QueryFragment,
    result::{EmptyChangeset, Error as DieselError},
};

use crate::database::Connection;

/// The keys, each once, in pieces of which a query on this backend can bind every one, and a good many values besides.
pub fn chunks<C: Connection, K: Clone + Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<Vec<K>> {
    let mut seen = HashSet::new();
    let keys: Vec<K> = keys.into_iter().filter(|key| seen.insert(key.clone())).collect();
    let room = C::MAX_BINDS - C::MAX_BINDS / 8;
    keys.chunks(room.max(1)).map(<[K]>::to_vec).collect()
}

/// The rows in the order of their keys, each where its key stands first.
pub fn in_order<K: Clone + Eq + Hash, R>(keys: &[K], rows: Vec<R>, key: impl Fn(&R) -> K) -> Vec<R> {
    let mut rows: HashMap<K, R> = rows.into_iter().map(|row| (key(&row), row)).collect();
    keys.iter().filter_map(|key| rows.remove(key)).collect()
}

/// Whether an update has no value to set. diesel finds that only when it runs, and on MySQL a query that is not sent in the
/// end cannot be told from one whose future was dropped, which costs the connection.
pub fn changes_nothing<DB: Backend + Default, Q: QueryFragment<DB>>(update: &Q) -> bool {
    // The cheapest way through the query; diesel-async turns on the feature that lets others take it.
    let walked = update.is_safe_to_cache_prepared(&DB::default());
    matches!(walked, Err(DieselError::QueryBuilderError(error)) if error.is::<EmptyChangeset>())
}
