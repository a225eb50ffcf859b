use std::{collections::HashMap, hash::Hash};

use diesel_async::{RunQueryDsl, methods::LoadQuery};

use super::{Connection, DbError, repository::chunks};

/// Each of the parents with its children, which one query fetches for all of them; more than one only where there are
/// more keys than the backend binds at once, and none for no parents.
///
/// `query` gets the parents' keys, each once, and selects with every child the key of its parent. So it serves one that
/// has many as well as many to many, by a join with the table between. Children keep the order of the query; those that
/// several parents share come with each.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use diesel::prelude::*;
/// use paravel::database::{DbError, SqliteConn, with_many};
///
/// diesel::table! {
///     ships (id) { id -> BigInt, fleet -> BigInt, name -> Text }
/// }
///
/// /// Fleets by their keys, with the names of their ships.
/// async fn ships_of(c: &mut SqliteConn, fleets: Vec<i64>) -> Result<Vec<(i64, Vec<String>)>, DbError> {
///     with_many(c, fleets, |fleet| *fleet, |fleets| {
///         ships::table.filter(ships::fleet.eq_any(fleets)).order(ships::name).select((ships::fleet, ships::name))
///     })
///     .await
/// }
/// # }
/// ```
///
/// # Errors
/// What the query met.
pub async fn with_many<'q, C, P, K, R, Q>(
    c: &mut C,
    parents: Vec<P>,
    key: impl Fn(&P) -> K + Send,
    query: impl Fn(Vec<K>) -> Q + Send,
) -> Result<Vec<(P, Vec<R>)>, DbError>
where
    C: Connection,
    P: Send,
    K: Clone + Eq + Hash + Send,
    R: Clone + Send,
    Q: LoadQuery<'q, C, (K, R)> + Send + 'q,
{
    let mut children: HashMap<K, Children<R>> = HashMap::new();
    for parent in &parents {
        children.entry(key(parent)).or_default().parents += 1;
    }
    for (key, child) in load(c, parents.iter().map(&key), query).await? {
        if let Some(children) = children.get_mut(&key) {
            children.rows.push(child);
        }
    }
    let with_theirs = |parent: P| {
        let rows = children.get_mut(&key(&parent)).map(Children::take).unwrap_or_default();
        (parent, rows)
    };
    Ok(parents.into_iter().map(with_theirs).collect())
}

/// Each of the rows with the one that it belongs to, where it has one: one query for all, as [`with_many`].
///
/// `query` gets the keys that `key` finds in the rows, each once, and selects every row with its own key.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use diesel::prelude::*;
/// use paravel::database::{DbError, SqliteConn, with_one};
///
/// diesel::table! {
///     fleets (id) { id -> BigInt, name -> Text }
/// }
///
/// struct Ship {
///     fleet: Option<i64>,
/// }
///
/// async fn with_fleets(c: &mut SqliteConn, ships: Vec<Ship>) -> Result<Vec<(Ship, Option<String>)>, DbError> {
///     with_one(c, ships, |ship| ship.fleet, |keys| {
///         fleets::table.filter(fleets::id.eq_any(keys)).select((fleets::id, fleets::name))
///     })
///     .await
/// }
/// # }
/// ```
///
/// # Errors
/// What the query met.
pub async fn with_one<'q, C, P, K, R, Q>(
    c: &mut C,
    rows: Vec<P>,
    key: impl Fn(&P) -> Option<K> + Send,
    query: impl Fn(Vec<K>) -> Q + Send,
) -> Result<Vec<(P, Option<R>)>, DbError>
where
    C: Connection,
    P: Send,
    K: Clone + Eq + Hash + Send,
    R: Clone + Send,
    Q: LoadQuery<'q, C, (K, R)> + Send + 'q,
{
    let owners: HashMap<K, R> = load(c, rows.iter().filter_map(&key), query).await?.into_iter().collect();
    let with_its_own = |row: P| {
        let owner = key(&row).and_then(|key| owners.get(&key).cloned());
        (row, owner)
    };
    Ok(rows.into_iter().map(with_its_own).collect())
}

/// What the query finds for these keys.
async fn load<'q, C, K, R, Q>(
    c: &mut C,
    keys: impl IntoIterator<Item = K>,
    query: impl Fn(Vec<K>) -> Q + Send,
) -> Result<Vec<(K, R)>, DbError>
where
    C: Connection,
    K: Clone + Eq + Hash + Send,
    R: Send,
    Q: LoadQuery<'q, C, (K, R)> + Send + 'q,
{
    let mut rows = Vec::new();
    for chunk in chunks::<C, K>(keys) {
        rows.extend(query(chunk).load::<(K, R)>(c).await?);
    }
    Ok(rows)
}

/// The children of one key, and how many parents are still to get them.
struct Children<R> {
    rows: Vec<R>,
    parents: usize,
}

impl<R> Default for Children<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), parents: 0 }
    }
}

impl<R: Clone> Children<R> {
    fn take(&mut self) -> Vec<R> {
        self.parents -= 1;
        if self.parents == 0 { std::mem::take(&mut self.rows) } else { self.rows.clone() }
    }
}
