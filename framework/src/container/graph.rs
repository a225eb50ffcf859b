use std::{
    collections::{HashMap, HashSet},
    fmt,
    panic::Location,
};

use super::{
    ContainerBuilder, DependencyInfo, Key, Lifetime, Shape,
    binding::{Contextual, Extension, Recipe},
};

/// Something outside the container that asks it for services.
#[derive(Debug, Clone)]
pub struct Root {
    /// What it is: `route`, `command`, `listener`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub dependencies: Vec<DependencyInfo>,
}

/// One thing that is wrong with the graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphFault {
    /// Something needs a key that nothing is bound to.
    #[error("missing: nothing is bound to `{key}`, needed by {}", path.join(" -> "))]
    Missing {
        /// The key.
        key: String,
        /// From where the walk began to what needs it.
        path: Vec<String>,
    },
    /// Keys that need each other.
    #[error("cycle: {}", path.join(" -> "))]
    Cycle {
        /// From a key back to itself.
        path: Vec<String>,
    },
    /// A singleton would keep the service of whichever request came first.
    #[error("captive: the singleton `{}` would keep the scoped `{key}`: {}", path.first().map_or("", String::as_str), path.join(" -> "))]
    Captive {
        /// The scoped key.
        key: String,
        /// From the singleton to the scoped key.
        path: Vec<String>,
    },
    /// A key bound twice.
    #[error("duplicate: `{key}` is bound at {first} and again at {second}; use `replace` where that is meant")]
    Duplicate {
        /// The key.
        key: String,
        /// Where it was bound first.
        first: String,
        /// Where again.
        second: String,
    },
    /// An extender for a key that nothing is bound to.
    #[error("missing: nothing is bound to `{key}`, which the extender at {location} wraps")]
    NothingToExtend {
        /// The key.
        key: String,
        /// Where the extender was registered.
        location: String,
    },
    /// A contextual binding that can never apply.
    #[error("unused: `{consumer}` does not need `{key}`, which the contextual binding at {location} gives it")]
    UnusedContextual {
        /// The consumer named by `when`.
        consumer: String,
        /// The key named by `needs`.
        key: String,
        /// Where it was registered.
        location: String,
    },
    /// A name that two things have: a provider, a route, a command.
    #[error("duplicate: {0}")]
    DuplicateName(String),
}

/// Every fault of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFaults(pub Vec<GraphFault>);

impl fmt::Display for GraphFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the container has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for GraphFaults {}

/// The bindings as nodes and the dependencies as edges.
pub(super) struct Graph<'a> {
    builder: &'a ContainerBuilder,
    bindings: HashMap<Key, &'a Recipe>,
    extensions: HashMap<Key, Vec<&'a Extension>>,
    contextual: HashMap<(Key, Key), &'a Contextual>,
    tagged: HashMap<Key, Vec<&'a Recipe>>,
    faults: Vec<GraphFault>,
    done: HashSet<Key>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(builder: &'a ContainerBuilder) -> Self {
        let mut extensions: HashMap<Key, Vec<&Extension>> = HashMap::new();
        for extension in &builder.extensions {
            extensions.entry(extension.key).or_default().push(extension);
        }
        let mut tagged: HashMap<Key, Vec<&Recipe>> = HashMap::new();
        for recipe in &builder.tagged {
            tagged.entry(recipe.key).or_default().push(recipe);
        }
        Self {
            bindings: builder.by_key(),
            extensions,
            contextual: builder.contextual.iter().map(|given| ((given.consumer, given.recipe.key), given)).collect(),
            tagged,
            builder,
            faults: Vec::new(),
            done: HashSet::new(),
        }
    }

    pub(super) fn verify(mut self) -> Result<(), GraphFaults> {
        self.find_duplicates();
        self.find_idle_registrations();
        for recipe in &self.builder.recipes {
            self.walk(recipe.key, &mut Vec::new());
        }
        for recipe in &self.builder.tagged {
            let label = format!("member of Vec<{}>", recipe.key);
            self.walk_all(&recipe.dependencies, None, &mut vec![Step::label(label)]);
        }
        for root in &self.builder.roots {
            let label = format!("{} {}", root.kind, root.name);
            self.walk_all(&root.dependencies, None, &mut vec![Step::label(label)]);
        }
        for recipe in self.bindings.values().filter(|recipe| recipe.lifetime == Lifetime::Singleton) {
            if let Some(path) = self.scoped_below(recipe.key, &mut HashSet::new()) {
                let key = path.last().cloned().unwrap_or_default();
                self.faults.push(GraphFault::Captive { key, path });
            }
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut faults = Vec::new();
        for fault in self.faults {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        faults.sort_by_cached_key(ToString::to_string);
        Err(GraphFaults(faults))
    }

    fn find_duplicates(&mut self) {
        let mut first: HashMap<Key, &Recipe> = HashMap::new();
        for recipe in &self.builder.recipes {
            if let Some(earlier) = first.insert(recipe.key, recipe) {
                self.faults.push(GraphFault::Duplicate {
                    key: recipe.key.to_string(),
                    first: place(earlier.location),
                    second: place(recipe.location),
                });
            }
        }
    }

    fn find_idle_registrations(&mut self) {
        for extension in &self.builder.extensions {
            if !self.bindings.contains_key(&extension.key) {
                let location = place(extension.location);
                self.faults.push(GraphFault::NothingToExtend { key: extension.key.to_string(), location });
            }
        }
        for given in &self.builder.contextual {
            let key = given.recipe.key;
            if !self.dependencies(given.consumer).any(|needed| needed.key == key && needed.shape != Shape::Tagged) {
                self.faults.push(GraphFault::UnusedContextual {
                    consumer: given.consumer.to_string(),
                    key: key.to_string(),
                    location: place(given.recipe.location),
                });
            }
        }
    }

    /// What a key's recipe and its extensions need.
    fn dependencies(&self, key: Key) -> impl Iterator<Item = &'a DependencyInfo> + use<'a> {
        let own = self.bindings.get(&key).map(|recipe| recipe.dependencies.as_slice()).unwrap_or_default();
        own.iter().chain(self.extension_dependencies(key))
    }

    fn extension_dependencies(&self, key: Key) -> impl Iterator<Item = &'a DependencyInfo> + use<'a> {
        let extensions = self.extensions.get(&key).cloned().unwrap_or_default();
        extensions.into_iter().flat_map(|extension| extension.dependencies.iter())
    }

    /// Depth first below a key; `path` is how the walk came here.
    fn walk(&mut self, key: Key, path: &mut Vec<Step>) {
        if let Some(start) = path.iter().position(|step| step.key == Some(key)) {
            let names = path[start..].iter().map(|step| step.name.clone()).chain([key.to_string()]);
            self.faults.push(GraphFault::Cycle { path: names.collect() });
            return;
        }
        if self.done.contains(&key) {
            return;
        }
        path.push(Step { key: Some(key), name: key.to_string() });
        let needed: Vec<_> = self.dependencies(key).copied().collect();
        self.walk_all(&needed, Some(key), path);
        path.pop();
        self.done.insert(key);
    }

    fn walk_all(&mut self, needed: &[DependencyInfo], consumer: Option<Key>, path: &mut Vec<Step>) {
        for needed in needed {
            let given = consumer.and_then(|consumer| self.contextual.get(&(consumer, needed.key)).copied());
            match (needed.shape, given) {
                (Shape::Tagged, _) => {
                    for member in self.tagged.get(&needed.key).cloned().unwrap_or_default() {
                        self.walk_all(&member.dependencies, None, path);
                    }
                }
                (_, Some(given)) => {
                    let extended = self.extension_dependencies(needed.key).copied();
                    let below: Vec<_> = given.recipe.dependencies.iter().copied().chain(extended).collect();
                    self.walk_all(&below, Some(needed.key), path);
                }
                (_, None) if self.bindings.contains_key(&needed.key) => self.walk(needed.key, path),
                (Shape::One, None) => {
                    let path = path.iter().map(|step| step.name.clone()).collect();
                    self.faults.push(GraphFault::Missing { key: needed.key.to_string(), path });
                }
                (Shape::Maybe, None) => {}
            }
        }
    }

    /// The path from a key to a scoped service that it would keep, if there is one.
    fn scoped_below(&self, key: Key, seen: &mut HashSet<Key>) -> Option<Vec<String>> {
        let recipe = self.bindings.get(&key)?;
        if recipe.lifetime == Lifetime::Scoped {
            return Some(vec![key.to_string()]);
        }
        if !seen.insert(key) {
            return None;
        }
        let found = self.scoped_in(self.dependencies(key), key, seen);
        found.map(|path| [key.to_string()].into_iter().chain(path).collect())
    }

    fn scoped_in<'d>(
        &self,
        needed: impl Iterator<Item = &'d DependencyInfo>,
        consumer: Key,
        seen: &mut HashSet<Key>,
    ) -> Option<Vec<String>> {
        for needed in needed {
            let found = match (needed.shape, self.contextual.get(&(consumer, needed.key))) {
                (Shape::Tagged, _) => self
                    .tagged
                    .get(&needed.key)
                    .into_iter()
                    .flatten()
                    .find_map(|member| self.scoped_in(member.dependencies.iter(), needed.key, seen)),
                (_, Some(given)) => {
                    let extended = self.extension_dependencies(needed.key);
                    self.scoped_in(given.recipe.dependencies.iter().chain(extended), needed.key, seen)
                }
                (_, None) => self.scoped_below(needed.key, seen),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

struct Step {
    key: Option<Key>,
    name: String,
}

impl Step {
    fn label(name: String) -> Self {
        Self { key: None, name }
    }
}

fn place(location: &Location<'_>) -> String {
    format!("{}:{}", location.file(), location.line())
}
