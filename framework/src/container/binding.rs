use std::{
    any::{Any, TypeId, type_name},
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    panic::Location,
};

use super::{ContainerError, DependencyInfo, Resolver};
use crate::support::short_name;

/// What a binding is looked up by: a type, trait objects included.
#[derive(Clone, Copy)]
pub struct Key {
    id: TypeId,
    name: &'static str,
}

impl Key {
    /// The key of `T`.
    pub fn of<T: ?Sized + 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T>() }
    }

    pub(crate) const fn erased(id: TypeId, name: &'static str) -> Self {
        Self { id, name }
    }

    pub(crate) const fn id(self) -> TypeId {
        self.id
    }

    /// The type's name with its paths.
    pub const fn full_name(self) -> &'static str {
        self.name
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short_name(self.name))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How long what a binding makes is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// Made anew each time.
    Transient,
    /// Made once in each request, job or command.
    Scoped,
    /// Made once.
    Singleton,
    /// Given ready-made.
    Instance,
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "bind",
            Self::Scoped => "scoped",
            Self::Singleton => "singleton",
            Self::Instance => "instance",
        })
    }
}

/// An `Arc<T>` whose `T` only the key knows.
pub(super) type Made = Box<dyn Any + Send + Sync>;

pub(super) type Build = Box<dyn Fn(&Resolver<'_>) -> Result<Made, ContainerError> + Send + Sync>;

pub(super) type Extend = Box<dyn Fn(Made, &Resolver<'_>) -> Result<Made, ContainerError> + Send + Sync>;

/// How one key is made, before the extensions of the key.
pub(super) struct Recipe {
    pub(super) key: Key,
    pub(super) lifetime: Lifetime,
    pub(super) dependencies: Vec<DependencyInfo>,
    pub(super) build: Build,
    pub(super) location: &'static Location<'static>,
}

/// What wraps whatever a key's recipe has made.
pub(super) struct Extension {
    pub(super) key: Key,
    pub(super) dependencies: Vec<DependencyInfo>,
    pub(super) extend: Extend,
    pub(super) location: &'static Location<'static>,
}

/// What one consumer gets instead of a key's general binding.
pub(super) struct Contextual {
    pub(super) consumer: Key,
    pub(super) recipe: Recipe,
}

impl Contextual {
    pub(super) const fn node(&self) -> Node {
        Node::Given(self.consumer, self.recipe.key)
    }
}

/// A place in the graph: what a walk, or the making of services, can come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A key's own binding.
    Bound(Key),
    /// What a consumer, the first, gets for a key instead.
    Given(Key, Key),
    /// All that is tagged with a key.
    Tagged(Key),
}

impl Node {
    /// What is made there.
    pub(super) const fn key(self) -> Key {
        match self {
            Self::Bound(key) | Self::Given(_, key) | Self::Tagged(key) => key,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound(key) | Self::Given(_, key) => key.fmt(f),
            Self::Tagged(key) => write!(f, "Vec<{key}>"),
        }
    }
}

/// A `TypeId` is a good hash already, so hashing it again would only cost time.
#[derive(Default)]
pub(super) struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not reached by today's `TypeId`, which writes one u64; right all the same if that changes.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(super) type TypeMap<V> = std::collections::HashMap<TypeId, V, BuildHasherDefault<TypeIdHasher>>;
