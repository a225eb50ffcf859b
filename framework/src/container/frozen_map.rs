use std::{
    any::TypeId,
    hash::{Hash, Hasher},
};

use super::binding::TypeIdHasher;

/// A map by type that is filled once: every key stands at its own place in a table as large as that needs, so a
/// look-up is one comparison.
pub(super) struct FrozenMap<V> {
    table: Box<[Option<(TypeId, V)>]>,
    // Keys that would have made the table too large.
    rest: Vec<(TypeId, V)>,
}

/// How much larger than the number of its keys a table may be. Pairs of `n` random keys collide about `n / (2 * factor)`
/// times, so for an application's hundreds of keys a few are left for the rest, and that is short.
const FACTOR: usize = 64;

impl<V> FrozenMap<V> {
    pub(super) fn new(entries: impl IntoIterator<Item = (TypeId, V)>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let size = smallest_size(&entries);
        let mut table: Box<[_]> = (0..size).map(|_| None).collect();
        let mut rest = Vec::new();
        for (key, value) in entries {
            match table.get_mut(place(key, size)) {
                Some(free @ None) => *free = Some((key, value)),
                _ => rest.push((key, value)),
            }
        }
        Self { table, rest }
    }

    #[inline]
    pub(super) fn get(&self, key: TypeId) -> Option<&V> {
        match self.table.get(place(key, self.table.len())) {
            Some(Some((known, value))) if *known == key => Some(value),
            Some(Some(_)) => self.get_rest(key),
            _ => None,
        }
    }

    #[cold]
    fn get_rest(&self, key: TypeId) -> Option<&V> {
        self.rest.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.table.iter().flatten().chain(&self.rest).map(|(_, value)| value)
    }
}

/// The smallest table in which every key has a place of its own, or the largest that is allowed.
fn smallest_size<V>(entries: &[(TypeId, V)]) -> usize {
    let mut size = entries.len().next_power_of_two().max(1);
    let largest = size * FACTOR;
    while size < largest {
        let mut taken = vec![false; size];
        let collides = |(key, _): &(TypeId, V)| std::mem::replace(&mut taken[place(*key, size)], true);
        if !entries.iter().any(collides) {
            break;
        }
        size *= 2;
    }
    size
}

/// Where a key stands in a table of this size, a power of two. A `TypeId` is random enough as it is.
#[inline]
fn place(key: TypeId, size: usize) -> usize {
    let mut hasher = TypeIdHasher::default();
    key.hash(&mut hasher);
    // Cut to the width of a pointer: the low bits are as random as the others.
    hasher.finish() as usize & (size.wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<(TypeId, usize)> {
        macro_rules! many {
            ($($number:literal)+) => { vec![$((TypeId::of::<[u8; $number]>(), $number)),+] };
        }
        many!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33)
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        let map = FrozenMap::new(keys());
        for (key, value) in keys() {
            assert_eq!(map.get(key), Some(&value));
        }
        assert_eq!(map.get(TypeId::of::<str>()), None);
        assert_eq!(map.values().count(), keys().len());
        assert_eq!(FrozenMap::<u8>::new([]).get(TypeId::of::<str>()), None);
    }

    #[test]
    fn keys_without_a_place_of_their_own_are_found_too() {
        let first = keys()[0];
        let map = FrozenMap { table: Box::new([Some(first)]), rest: keys()[1..].to_vec() };
        for (key, value) in keys() {
            assert_eq!(map.get(key), Some(&value));
        }
        assert_eq!(map.get(TypeId::of::<str>()), None);
    }
}
