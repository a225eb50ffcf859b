use std::{any::TypeId, collections::HashMap, marker::PhantomData, panic::Location, sync::Arc};

use super::{
    Container, Extender, Factory, Key, Lifetime,
    binding::{Contextual, Extension, Made, Recipe},
    factory::{erase, erase_extender},
    graph::{Graph, GraphFault, GraphFaults, Root},
};
use crate::config::{ErasedArc, ErasedConfig};

/// What providers register services in; [`freeze`](Self::freeze) turns it into a [`Container`].
///
/// A key may be bound once. A second binding of it is a fault that `freeze` reports with both places; to put
/// something else in a key's place on purpose, as a test's fakes do, use [`replace`](Self::replace).
#[derive(Default)]
pub struct ContainerBuilder {
    pub(super) recipes: Vec<Recipe>,
    pub(super) extensions: Vec<Extension>,
    pub(super) contextual: Vec<Contextual>,
    pub(super) tagged: Vec<Recipe>,
    pub(super) roots: Vec<Root>,
    pub(super) faults: Vec<GraphFault>,
    configs: HashMap<TypeId, ErasedArc>,
    replacing: bool,
}

impl ContainerBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a factory that is called each time.
    #[track_caller]
    pub fn bind<A, F: Factory<A>>(&mut self, factory: F) -> &mut Self {
        self.add(recipe(Lifetime::Transient, factory))
    }

    /// Binds a factory that is called once.
    #[track_caller]
    pub fn singleton<A, F: Factory<A>>(&mut self, factory: F) -> &mut Self {
        self.add(recipe(Lifetime::Singleton, factory))
    }

    /// Binds a factory that is called once in each request, job or command.
    #[track_caller]
    pub fn scoped<A, F: Factory<A>>(&mut self, factory: F) -> &mut Self {
        self.add(recipe(Lifetime::Scoped, factory))
    }

    /// Binds something ready-made.
    #[track_caller]
    pub fn instance<T: ?Sized + Send + Sync + 'static>(&mut self, instance: Arc<T>) -> &mut Self {
        self.add(instance_recipe(Key::of::<T>(), move || Box::new(Arc::clone(&instance))))
    }

    /// Binds a config struct under its own type.
    #[track_caller]
    pub(crate) fn config(&mut self, config: ErasedConfig) {
        let ErasedConfig { key, type_name, value } = config;
        self.configs.insert(key, Arc::clone(&value));
        self.add(instance_recipe(Key::erased(key, type_name), move || value()));
    }

    /// A config struct, for what a provider binds only where it is configured: services cannot be made yet, but the
    /// configuration is whole. `None` where there is none of this type.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::{config::AppConfig, container::ContainerBuilder};
    ///
    /// fn register(app: &mut ContainerBuilder) {
    ///     if app.configured::<AppConfig>().is_some_and(|config| config.key.is_none()) {
    ///         app.instance::<str>(Arc::from("bound where there is no key"));
    ///     }
    /// }
    /// # register(&mut ContainerBuilder::new());
    /// ```
    pub fn configured<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let config = self.configs.get(&TypeId::of::<T>())?;
        config().downcast::<Arc<T>>().ok().map(|config| *config)
    }

    /// Adds a member to the collection that a `Vec<Arc<T>>` argument receives. Members come in the order of
    /// registration.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::container::ContainerBuilder;
    ///
    /// trait Check: Send + Sync {
    ///     fn name(&self) -> &'static str;
    /// }
    /// struct Disk;
    /// impl Check for Disk {
    ///     fn name(&self) -> &'static str {
    ///         "disk"
    ///     }
    /// }
    ///
    /// let mut app = ContainerBuilder::new();
    /// app.tag(|| -> Arc<dyn Check> { Arc::new(Disk) });
    /// app.singleton(|checks: Vec<Arc<dyn Check>>| Arc::new(checks.len()));
    /// assert_eq!(*app.freeze()?.make::<usize>()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn tag<A, F: Factory<A>>(&mut self, factory: F) -> &mut Self {
        self.tagged.push(recipe(Lifetime::Transient, factory));
        self
    }

    /// Wraps whatever `T` is bound to, wherever and whenever it is bound; decorators ride on this. Extenders
    /// apply in the order of registration, so the last is outermost.
    #[track_caller]
    pub fn extend<T, A, F>(&mut self, extender: F) -> &mut Self
    where
        T: ?Sized + Send + Sync + 'static,
        F: Extender<T, A>,
    {
        self.extend_from(Location::caller(), extender)
    }

    /// [`extend`](Self::extend), for whoever was asked to from somewhere else.
    pub(crate) fn extend_from<T, A, F>(&mut self, location: &'static Location<'static>, extender: F) -> &mut Self
    where
        T: ?Sized + Send + Sync + 'static,
        F: Extender<T, A>,
    {
        self.extensions.push(Extension {
            key: Key::of::<T>(),
            dependencies: F::dependencies(),
            extend: erase_extender(extender),
            location,
        });
        self
    }

    /// Notes a fault that the graph cannot see by itself, for [`verify`](Self::verify) to report.
    pub(crate) fn fault(&mut self, fault: GraphFault) {
        self.faults.push(fault);
    }

    /// Begins a contextual binding: when `A` is being made and needs `B`, it gets something else than everybody.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::container::ContainerBuilder;
    ///
    /// struct Report(Arc<str>);
    ///
    /// let mut app = ContainerBuilder::new();
    /// app.instance::<str>(Arc::from("everybody's"));
    /// app.singleton(|title: Arc<str>| Arc::new(Report(title)));
    /// app.when::<Report>().needs::<str>().give(|| -> Arc<str> { Arc::from("the report's own") });
    /// assert_eq!(&*app.freeze()?.make::<Report>()?.0, "the report's own");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn when<A: ?Sized + 'static>(&mut self) -> When<'_, A> {
        When { builder: self, consumer: PhantomData }
    }

    /// The same builder for bindings that take the place of earlier ones.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::container::ContainerBuilder;
    ///
    /// let mut app = ContainerBuilder::new();
    /// app.instance(Arc::new(1_u8));
    /// app.replace(|app| {
    ///     app.instance(Arc::new(2_u8));
    /// });
    /// assert_eq!(*app.freeze()?.make::<u8>()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&mut self, bindings: impl FnOnce(&mut Self)) -> &mut Self {
        let before = std::mem::replace(&mut self.replacing, true);
        bindings(self);
        self.replacing = before;
        self
    }

    /// Declares something outside the container that will ask it for services (a route, a command, a listener), so
    /// that verification starts from it too.
    pub fn root(&mut self, root: Root) -> &mut Self {
        self.roots.push(root);
        self
    }

    /// Looks for every fault in the graph, without running a factory.
    ///
    /// # Errors
    /// [`GraphFaults`] with all of them, each with its path.
    pub fn verify(&self) -> Result<(), GraphFaults> {
        Graph::new(self).verify()
    }

    /// Verifies the graph and closes it.
    ///
    /// # Errors
    /// [`GraphFaults`] with every fault.
    pub fn freeze(self) -> Result<Container, GraphFaults> {
        self.verify()?;
        Ok(Container::new(self))
    }

    fn add(&mut self, recipe: Recipe) -> &mut Self {
        if self.replacing {
            self.recipes.retain(|earlier| earlier.key != recipe.key);
        }
        self.recipes.push(recipe);
        self
    }

    pub(super) fn by_key(&self) -> HashMap<Key, &Recipe> {
        // The first wins; freeze has refused a second.
        self.recipes.iter().rev().map(|recipe| (recipe.key, recipe)).collect()
    }
}

#[track_caller]
fn recipe<A, F: Factory<A>>(lifetime: Lifetime, factory: F) -> Recipe {
    Recipe {
        key: Key::of::<F::Target>(),
        lifetime,
        dependencies: F::dependencies(),
        build: erase(factory),
        location: Location::caller(),
    }
}

#[track_caller]
fn instance_recipe(key: Key, made: impl Fn() -> Made + Send + Sync + 'static) -> Recipe {
    Recipe {
        key,
        lifetime: Lifetime::Instance,
        dependencies: Vec::new(),
        build: Box::new(move |_| Ok(made())),
        location: Location::caller(),
    }
}

/// A contextual binding that has named its consumer.
pub struct When<'a, A: ?Sized> {
    builder: &'a mut ContainerBuilder,
    consumer: PhantomData<fn(&A)>,
}

impl<'a, A: ?Sized + 'static> When<'a, A> {
    /// Names what the consumer needs.
    pub fn needs<B: ?Sized + 'static>(self) -> Needs<'a, A, B> {
        Needs { builder: self.builder, types: PhantomData }
    }
}

/// What a [`When`] has named: the consumer and the key it needs.
pub struct Needs<'a, A: ?Sized, B: ?Sized> {
    builder: &'a mut ContainerBuilder,
    types: PhantomData<fn(&A, &B)>,
}

/// The factory types that can answer a [`Needs`].
pub trait Gives<B: ?Sized, Arguments>: Factory<Arguments, Target = B> {}

impl<B: ?Sized, Arguments, F: Factory<Arguments, Target = B>> Gives<B, Arguments> for F {}

impl<A: ?Sized + 'static, B: ?Sized + 'static> Needs<'_, A, B> {
    /// Gives the consumer what this factory makes, anew each time the consumer is made.
    #[track_caller]
    pub fn give<Arguments, F: Gives<B, Arguments>>(self, factory: F) {
        let given = Contextual { consumer: Key::of::<A>(), recipe: recipe(Lifetime::Transient, factory) };
        if self.builder.replacing {
            self.builder.contextual.retain(|earlier| earlier.node() != given.node());
        }
        self.builder.contextual.push(given);
    }
}
