use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::HashMap,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use parking_lot::ReentrantMutex;

use super::{
    Ambient, ContainerBuilder, ContainerError, Key, Lifetime, Resolver, Scope,
    binding::{Extension, Made, Node, Recipe, TypeMap},
    enter,
    frozen_map::FrozenMap,
};

/// The frozen container: cheap to clone, and shared by everything that runs.
///
/// A container from [`scope`](Self::scope) also carries the scope of one request, job or command, in which
/// its scoped services live.
#[derive(Clone)]
pub struct Container {
    shared: Arc<Shared>,
    scope: Option<Arc<Scope>>,
}

struct Shared {
    bindings: FrozenMap<Binding>,
    tagged: TypeMap<Vec<Blueprint>>,
    contextual: HashMap<(TypeId, TypeId), Blueprint>,
    scoped_count: usize,
    // One lock for the making of all singletons: two locks, taken in opposite orders by factories that ask the
    // container behind the graph's back, could wait for each other.
    building: ReentrantMutex<()>,
}

/// A recipe with the extensions of its key.
struct Blueprint {
    recipe: Recipe,
    extensions: Arc<[Extension]>,
}

struct Binding {
    blueprint: Blueprint,
    store: Store,
}

enum Store {
    Transient,
    /// The place in a scope's table.
    Scoped(usize),
    Singleton(OnceLock<Made>),
}

/// Whether the maker of a dependency has to look for contextual bindings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolving {
    Direct,
    ForConsumer,
}

/// What `container:list` shows of a binding.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct BindingInfo {
    /// The key.
    pub key: String,
    /// `bind`, `scoped`, `singleton` or `instance`.
    pub lifetime: String,
    /// The keys it needs.
    pub needs: Vec<String>,
    /// How many extenders wrap it.
    pub extenders: usize,
    /// Where it was registered: file and line.
    pub registered: String,
}

thread_local! {
    // What factories are making on this thread, outermost first.
    static MAKING: RefCell<Vec<Making>> = const { RefCell::new(Vec::new()) };
}

struct Making {
    // The container, by the address of what its clones share: a factory may ask another one.
    container: usize,
    node: Node,
    kept: bool,
}

impl Container {
    pub(super) fn new(builder: ContainerBuilder) -> Self {
        let mut extensions: HashMap<Key, Vec<Extension>> = HashMap::new();
        for extension in builder.extensions {
            extensions.entry(extension.key).or_default().push(extension);
        }
        let extensions: HashMap<Key, Arc<[Extension]>> =
            extensions.into_iter().map(|(key, list)| (key, Arc::from(list))).collect();
        let blueprint =
            |recipe: Recipe| Blueprint { extensions: extensions.get(&recipe.key).cloned().unwrap_or_default(), recipe };
        let mut scoped_count = 0;
        let mut bindings = Vec::new();
        for recipe in builder.recipes {
            let store = match recipe.lifetime {
                Lifetime::Transient => Store::Transient,
                Lifetime::Scoped => {
                    scoped_count += 1;
                    Store::Scoped(scoped_count - 1)
                }
                Lifetime::Singleton | Lifetime::Instance => Store::Singleton(OnceLock::new()),
            };
            bindings.push((recipe.key.id(), Binding { blueprint: blueprint(recipe), store }));
        }
        let mut tagged: TypeMap<Vec<Blueprint>> = TypeMap::default();
        for recipe in builder.tagged {
            // Extensions wrap what a key is bound to, and a tag is not a binding.
            let member = Blueprint { extensions: Arc::default(), recipe };
            tagged.entry(member.recipe.key.id()).or_default().push(member);
        }
        let contextual = builder
            .contextual
            .into_iter()
            .map(|given| ((given.consumer.id(), given.recipe.key.id()), blueprint(given.recipe)))
            .collect();
        let bindings = FrozenMap::new(bindings);
        let shared = Shared { bindings, tagged, contextual, scoped_count, building: ReentrantMutex::new(()) };
        Self { shared: Arc::new(shared), scope: None }
    }

    /// The service bound to `T`.
    ///
    /// A singleton that has been made is found without a lock.
    ///
    /// # Errors
    /// [`ContainerError`], which names the key: nothing bound, a scoped service without a scope, or a factory
    /// that failed or panicked.
    #[inline]
    pub fn make<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ContainerError> {
        match self.made() {
            Some(made) => Ok(made),
            None => self.make_slowly(Key::of::<T>()),
        }
    }

    /// The singleton bound to `T`, where it has been made: two words, without the room that an error takes.
    #[inline]
    pub(crate) fn made<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let Store::Singleton(slot) = &self.shared.bindings.get(TypeId::of::<T>())?.store else { return None };
        slot.get()?.downcast_ref::<Arc<T>>().map(Arc::clone)
    }

    #[inline(never)]
    fn make_slowly<T: ?Sized + Send + Sync + 'static>(&self, key: Key) -> Result<Arc<T>, ContainerError> {
        let binding = self.shared.bindings.get(key.id()).ok_or(ContainerError::NotBound { key })?;
        let take = |made: &Made| made.downcast_ref::<Arc<T>>().map(Arc::clone).ok_or(ContainerError::NotBound { key });
        match &binding.store {
            Store::Transient => take(&self.build(&binding.blueprint)?),
            Store::Singleton(slot) => take(self.fill(slot, &self.shared.building, &binding.blueprint)?),
            Store::Scoped(index) => {
                self.refuse_captive(key)?;
                let scope = self.scope.as_ref().ok_or(ContainerError::NoScope { key })?;
                let services = scope.services(self.shared.scoped_count);
                let slot = services.slots.get(*index).ok_or(ContainerError::NoScope { key })?;
                match slot.get() {
                    Some(made) => take(made),
                    None => take(self.fill(slot, &services.building, &binding.blueprint)?),
                }
            }
        }
    }

    /// Fills an empty slot, once: whoever comes second waits and finds it filled. A failure leaves it empty.
    fn fill<'a>(
        &self,
        slot: &'a OnceLock<Made>,
        building: &ReentrantMutex<()>,
        blueprint: &Blueprint,
    ) -> Result<&'a Made, ContainerError> {
        let _building = building.lock();
        if let Some(made) = slot.get() {
            return Ok(made);
        }
        let made = self.build(blueprint)?;
        Ok(slot.get_or_init(|| made))
    }

    fn build(&self, blueprint: &Blueprint) -> Result<Made, ContainerError> {
        let kept = matches!(blueprint.recipe.lifetime, Lifetime::Singleton | Lifetime::Instance);
        self.making(Node::Bound(blueprint.recipe.key), kept, || self.assemble(blueprint))
    }

    /// Calls `make` with the node marked as being made on this thread.
    fn making<R>(
        &self,
        node: Node,
        kept: bool,
        make: impl FnOnce() -> Result<R, ContainerError>,
    ) -> Result<R, ContainerError> {
        let container = self.address();
        MAKING.with_borrow_mut(|making| {
            if let Some(start) = making.iter().position(|other| other.container == container && other.node == node) {
                let path = making[start..].iter().map(|other| other.node.key()).chain([node.key()]).collect();
                return Err(ContainerError::Cycle { key: node.key(), path });
            }
            making.push(Making { container, node, kept });
            Ok(())
        })?;
        // Factories' panics end in `assemble`, so this is reached.
        let made = make();
        MAKING.with_borrow_mut(Vec::pop);
        made
    }

    /// Scopes are locked before singletons and never after, so that two threads cannot wait for each other.
    fn refuse_captive(&self, key: Key) -> Result<(), ContainerError> {
        let container = self.address();
        MAKING.with_borrow(|making| {
            let Some(start) = making.iter().position(|other| other.container == container && other.kept) else {
                return Ok(());
            };
            let path = making[start..].iter().map(|other| other.node.key()).chain([key]).collect();
            Err(ContainerError::Captive { key, path })
        })
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    fn assemble(&self, blueprint: &Blueprint) -> Result<Made, ContainerError> {
        let key = blueprint.recipe.key;
        let resolver = Resolver { container: self, consumer: Some(key), resolving: Resolving::ForConsumer };
        catch_unwind(AssertUnwindSafe(|| {
            let mut made = (blueprint.recipe.build)(&resolver)?;
            for extension in blueprint.extensions.iter() {
                made = (extension.extend)(made, &resolver)?;
            }
            Ok(made)
        }))
        .unwrap_or_else(|panic| Err(ContainerError::Panicked { key, message: panic_message(&*panic) }))
    }

    pub(super) fn resolve<T: ?Sized + Send + Sync + 'static>(
        &self,
        resolver: &Resolver<'_>,
    ) -> Result<Arc<T>, ContainerError> {
        if resolver.resolving == Resolving::ForConsumer
            && let Some(consumer) = resolver.consumer
            && let Some(given) = self.shared.contextual.get(&(consumer.id(), TypeId::of::<T>()))
        {
            let key = Key::of::<T>();
            let made = self.making(Node::Given(consumer, key), false, || self.assemble(given))?.downcast::<Arc<T>>();
            return made.map(|made| *made).map_err(|_| ContainerError::NotBound { key });
        }
        self.make()
    }

    /// Everything tagged with `T`, in the order of registration.
    ///
    /// # Errors
    /// What making a member met.
    pub fn tagged<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Vec<Arc<T>>, ContainerError> {
        let key = Key::of::<T>();
        let members = self.shared.tagged.get(&key.id()).map(Vec::as_slice).unwrap_or_default();
        let take =
            |made: Made| made.downcast::<Arc<T>>().map(|made| *made).map_err(|_| ContainerError::NotBound { key });
        self.making(Node::Tagged(key), false, || members.iter().map(|member| take(self.assemble(member)?)).collect())
    }

    /// Whether anything is bound to `T`.
    pub fn bound<T: ?Sized + 'static>(&self) -> bool {
        self.shared.bindings.get(TypeId::of::<T>()).is_some()
    }

    /// This container with a scope of its own: what one request, job or command runs in.
    #[must_use]
    pub fn scope(&self) -> Self {
        self.with_scope(Arc::new(Scope::new()))
    }

    /// This container with this scope.
    #[must_use]
    pub fn with_scope(&self, scope: Arc<Scope>) -> Self {
        Self { shared: Arc::clone(&self.shared), scope: Some(scope) }
    }

    /// The scope, where there is one.
    pub fn current_scope(&self) -> Option<&Arc<Scope>> {
        self.scope.as_ref()
    }

    /// Runs a future in which this container is the current one: facades and extractors find it.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        enter(Ambient::new(self.clone()), future)
    }

    /// Every binding, by key.
    pub fn bindings(&self) -> Vec<BindingInfo> {
        let mut list: Vec<_> = self.shared.bindings.values().map(|binding| info(&binding.blueprint)).collect();
        list.sort_by(|a, b| a.key.cmp(&b.key));
        list
    }
}

fn info(blueprint: &Blueprint) -> BindingInfo {
    let extended = blueprint.extensions.iter().flat_map(|extension| &extension.dependencies);
    BindingInfo {
        key: blueprint.recipe.key.to_string(),
        lifetime: blueprint.recipe.lifetime.to_string(),
        needs: blueprint.recipe.dependencies.iter().chain(extended).map(|needed| needed.key.to_string()).collect(),
        extenders: blueprint.extensions.len(),
        registered: format!("{}:{}", blueprint.recipe.location.file(), blueprint.recipe.location.line()),
    }
}

/// What a panic said, where it said it in text.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
