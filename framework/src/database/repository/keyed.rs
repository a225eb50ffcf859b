use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use crate::database::Connection;

/// The keys, each once, in pieces of which a query on this backend can bind every one, and a good many values besides.
pub fn chunks<C: Connection, K: Copy + Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<Vec<K>> {
    let mut seen = HashSet::new();
    let keys: Vec<K> = keys.into_iter().filter(|key| seen.insert(*key)).collect();
    let room = C::MAX_BINDS - C::MAX_BINDS / 8;
    keys.chunks(room.max(1)).map(<[K]>::to_vec).collect()
}

/// The rows in the order of their keys, each where its key stands first.
pub fn in_order<K: Copy + Eq + Hash, R>(keys: &[K], rows: Vec<R>, key: impl Fn(&R) -> K) -> Vec<R> {
    let mut rows: HashMap<K, R> = rows.into_iter().map(|row| (key(&row), row)).collect();
    keys.iter().filter_map(|key| rows.remove(key)).collect()
}
