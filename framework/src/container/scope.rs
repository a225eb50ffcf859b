use std::{
    any::{Any, TypeId},
    fmt,
    sync::{Arc, OnceLock},
};

use parking_lot::{Mutex, ReentrantMutex};

use super::binding::Made;

/// What belongs to one request, job or command: its values by type, and its scoped services.
///
/// Values are what several layers leave here for each other (who acts, under which request id, which
/// queries ran); each type is defined by the layer that owns it.
///
/// ```
/// use paravel::container::Scope;
///
/// #[derive(PartialEq, Debug)]
/// struct Locale(&'static str);
///
/// let scope = Scope::new();
/// scope.set(Locale("cy"));
/// assert_eq!(scope.get::<Locale>().as_deref(), Some(&Locale("cy")));
/// ```
#[derive(Default)]
pub struct Scope {
    parent: Option<Arc<Scope>>,
    // A handful of entries at most, so a list is quicker than a map.
    values: Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>,
    // Made when a scoped service is first asked for.
    services: OnceLock<ScopedServices>,
}

pub(super) struct ScopedServices {
    pub(super) slots: Box<[OnceLock<Made>]>,
    pub(super) building: ReentrantMutex<()>,
}

impl Scope {
    /// An empty scope.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scope inside this one: it sees this one's values and shares its services, and what is set in it is seen
    /// in it alone. A transaction has one, so that what belongs to it does not reach what runs beside it.
    pub fn child(self: &Arc<Self>) -> Self {
        Self { parent: Some(Arc::clone(self)), ..Self::default() }
    }

    /// Puts a value in, in place of an earlier one of its type.
    pub fn set<T: Send + Sync + 'static>(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let erased: Arc<dyn Any + Send + Sync> = Arc::clone(&value) as _;
        let key = TypeId::of::<T>();
        let mut values = self.values.lock();
        match values.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = erased,
            None => values.push((key, erased)),
        }
        value
    }

    /// The value of type `T`, from this scope or the nearest one around it.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let key = TypeId::of::<T>();
        let found = {
            let values = self.values.lock();
            values.iter().find(|(known, _)| *known == key).map(|(_, value)| Arc::clone(value))
        };
        match found {
            Some(value) => value.downcast().ok(),
            None => self.parent.as_ref()?.get(),
        }
    }

    /// The value of type `T`, made where there is none yet; it is then put into the outermost scope, so that all the
    /// scopes in it share it.
    pub fn get_or_set<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        // Made before the lock is taken: what makes it may look into the scope.
        let value = Arc::new(make());
        let key = TypeId::of::<T>();
        let mut values = self.root().values.lock();
        let found = values.iter().find(|(known, _)| *known == key);
        if let Some(first) = found.and_then(|(_, first)| Arc::clone(first).downcast().ok()) {
            return first;
        }
        values.push((key, Arc::clone(&value) as _));
        value
    }

    /// Whether any scoped service has been asked for here.
    pub fn has_services(&self) -> bool {
        self.root().services.get().is_some()
    }

    pub(super) fn services(&self, count: usize) -> &ScopedServices {
        self.root().services.get_or_init(|| ScopedServices {
            slots: (0..count).map(|_| OnceLock::new()).collect(),
            building: ReentrantMutex::new(()),
        })
    }

    fn root(&self) -> &Self {
        self.parent.as_ref().map_or(self, |parent| parent.root())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("values", &self.values.lock().len()).finish_non_exhaustive()
    }
}
