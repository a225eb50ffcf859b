use std::{
    collections::{HashMap, HashSet},
    fmt,
    panic::Location,
};

use super::{
    ContainerBuilder, DependencyInfo, Key, Lifetime, Shape,
    binding::{Contextual, Extension, Node, Recipe},
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
    /// A decorator that cannot go around a service.
    #[error("decorator: `{decorator}` at {location} cannot go around `{key}`: {reason}")]
    Decorator {
        /// The service.
        key: String,
        /// The decorator.
        decorator: String,
        /// Where it was applied.
        location: String,
        /// Why not, and what to do about it.
        reason: String,
    },
    /// A listener that could not do what is said of it.
    #[error("listener: `{listener}` cannot be registered: {reason}")]
    Listener {
        /// Its name.
        listener: String,
        /// Why not, and what to do about it.
        reason: String,
    },
    /// A scheduled task that could not run as is said of it.
    #[error("task: `{task}` cannot be scheduled: {reason}")]
    Task {
        /// Its name.
        task: String,
        /// Why not, and what to do about it.
        reason: String,
    },
    /// A name that two things have: a provider, a route, a command.
    #[error("duplicate: {0}")]
    DuplicateName(String),
    /// A route that could never be reached, or not as it was meant.
    #[error("route: `{route}` cannot be served: {reason}")]
    Route {
        /// Its method and path.
        route: String,
        /// What is wrong with it.
        reason: String,
    },
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
    contextual: HashMap<Node, &'a Contextual>,
    tagged: HashMap<Key, Vec<&'a Recipe>>,
    faults: Vec<GraphFault>,
    done: HashSet<Node>,
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
            contextual: builder.contextual.iter().map(|given| (given.node(), given)).collect(),
            tagged,
            builder,
            faults: builder.faults.clone(),
            done: HashSet::new(),
        }
    }

    pub(super) fn verify(mut self) -> Result<(), GraphFaults> {
        self.find_duplicates();
        self.find_idle_registrations();
        for recipe in &self.builder.recipes {
            self.walk(Node::Bound(recipe.key), &mut Vec::new());
        }
        for recipe in &self.builder.tagged {
            self.walk(Node::Tagged(recipe.key), &mut Vec::new());
        }
        for root in &self.builder.roots {
            let mut path = vec![Step { node: None, name: format!("{} {}", root.kind, root.name) }];
            for needed in &root.dependencies {
                self.follow(None, *needed, &mut path);
            }
        }
        let kept = |recipe: &&&Recipe| matches!(recipe.lifetime, Lifetime::Singleton | Lifetime::Instance);
        for recipe in self.bindings.values().filter(kept) {
            if let Some(path) = self.scoped_below(Node::Bound(recipe.key), &mut HashSet::new()) {
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
        let bound = self.builder.recipes.iter().map(|recipe| (Node::Bound(recipe.key), recipe));
        let given = self.builder.contextual.iter().map(|given| (given.node(), &given.recipe));
        let mut first: HashMap<Node, &Recipe> = HashMap::new();
        for (node, recipe) in bound.chain(given) {
            if let Some(earlier) = first.insert(node, recipe) {
                self.faults.push(GraphFault::Duplicate {
                    key: match node {
                        Node::Given(consumer, key) => format!("{key} for {consumer}"),
                        other => other.to_string(),
                    },
                    first: place(earlier.location),
                    second: place(recipe.location),
                });
            }
        }
    }

    fn find_idle_registrations(&mut self) {
        for extension in &self.builder.extensions {
            let given = self.builder.contextual.iter().any(|given| given.recipe.key == extension.key);
            if !given && !self.bindings.contains_key(&extension.key) {
                let location = place(extension.location);
                self.faults.push(GraphFault::NothingToExtend { key: extension.key.to_string(), location });
            }
        }
        for given in &self.builder.contextual {
            let (consumer, key) = (given.consumer, given.recipe.key);
            let as_given = self.contextual.keys().filter(|node| node.key() == consumer).copied();
            let made = [Node::Bound(consumer), Node::Tagged(consumer)].into_iter().chain(as_given);
            let mut needs = made.flat_map(|node| self.dependencies(node));
            if !needs.any(|needed| needed.key == key && needed.shape != Shape::Tagged) {
                self.faults.push(GraphFault::UnusedContextual {
                    consumer: consumer.to_string(),
                    key: key.to_string(),
                    location: place(given.recipe.location),
                });
            }
        }
    }

    /// What making a node needs, extensions included. Its key is the consumer in contextual bindings.
    fn dependencies(&self, node: Node) -> Vec<DependencyInfo> {
        let recipe = match node {
            Node::Bound(key) => self.bindings.get(&key).copied(),
            Node::Given(..) => self.contextual.get(&node).map(|given| &given.recipe),
            // An extension wraps what a key is bound to, and a tag is not a binding.
            Node::Tagged(key) => {
                let members = self.tagged.get(&key).into_iter().flatten();
                return members.flat_map(|recipe| &recipe.dependencies).copied().collect();
            }
        };
        let own = recipe.into_iter().flat_map(|recipe| &recipe.dependencies);
        let extensions = self.extensions.get(&node.key()).into_iter().flatten();
        own.chain(extensions.flat_map(|extension| &extension.dependencies)).copied().collect()
    }

    /// Where a need leads; `None` where nothing answers it.
    fn target(&self, consumer: Option<Key>, needed: DependencyInfo) -> Option<Node> {
        if needed.shape == Shape::Tagged {
            return Some(Node::Tagged(needed.key));
        }
        let given = consumer.map(|consumer| Node::Given(consumer, needed.key));
        let given = given.filter(|given| self.contextual.contains_key(given));
        given.or_else(|| self.bindings.contains_key(&needed.key).then_some(Node::Bound(needed.key)))
    }

    /// Depth first below a node; `path` is how the walk came here.
    fn walk(&mut self, node: Node, path: &mut Vec<Step>) {
        if let Some(start) = path.iter().position(|step| step.node == Some(node)) {
            let names = path[start..].iter().map(|step| step.name.clone()).chain([node.to_string()]);
            self.faults.push(GraphFault::Cycle { path: names.collect() });
            return;
        }
        if self.done.contains(&node) {
            return;
        }
        path.push(Step::of(node));
        for needed in self.dependencies(node) {
            self.follow(Some(node.key()), needed, path);
        }
        path.pop();
        self.done.insert(node);
    }

    fn follow(&mut self, consumer: Option<Key>, needed: DependencyInfo, path: &mut Vec<Step>) {
        match self.target(consumer, needed) {
            Some(node) => self.walk(node, path),
            None if needed.shape == Shape::Maybe => {}
            None => {
                let path = path.iter().map(|step| step.name.clone()).collect();
                self.faults.push(GraphFault::Missing { key: needed.key.to_string(), path });
            }
        }
    }

    /// The path from a node to a scoped service that it would keep, if there is one.
    fn scoped_below(&self, node: Node, seen: &mut HashSet<Node>) -> Option<Vec<String>> {
        let name = node.to_string();
        if let Node::Bound(key) = node
            && self.bindings.get(&key).is_some_and(|recipe| recipe.lifetime == Lifetime::Scoped)
        {
            return Some(vec![name]);
        }
        if !seen.insert(node) {
            return None;
        }
        let below = self.dependencies(node).into_iter().find_map(|needed| {
            let target = self.target(Some(node.key()), needed)?;
            self.scoped_below(target, seen)
        });
        below.map(|path| [name].into_iter().chain(path).collect())
    }
}

struct Step {
    node: Option<Node>,
    name: String,
}

impl Step {
    fn of(node: Node) -> Self {
        Self { node: Some(node), name: node.to_string() }
    }
}

fn place(location: &Location<'_>) -> String {
    format!("{}:{}", location.file(), location.line())
}
