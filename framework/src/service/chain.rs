use std::{panic::Location, sync::Arc};

use super::{AuditLog, Auditable, Auditor, Cacheable, Decoratable, Decorator, WhoActs, measure::Layer};
use crate::{
    cache::Cache,
    container::{ContainerBuilder, GraphFault, Key},
    support::{Clock, Gauge},
};

/// The decorators of one service, from the outside in; registered when it goes out of scope, at the end of the statement.
pub struct Chain<'a, T: ?Sized + Decoratable> {
    builder: &'a mut ContainerBuilder,
    location: &'static Location<'static>,
    links: Vec<Link<T>>,
}

struct Link<T: ?Sized> {
    name: String,
    applied: bool,
    around: Around<T>,
}

enum Around<T: ?Sized> {
    Decorator(Arc<dyn Decorator>),
    Cached(fn(Arc<T>, &Cache) -> Arc<T>),
    Audited(fn(Arc<T>, &Auditor) -> Arc<T>),
}

/// What links need that are more than a decorator, where there are such.
#[derive(Default)]
struct Needs {
    cache: Option<Arc<Cache>>,
    auditor: Option<Auditor>,
}

/// A service's decorators, for `service:list`.
#[derive(Clone, serde::Serialize)]
#[non_exhaustive]
pub struct ServiceChain {
    /// The service's trait.
    pub service: &'static str,
    /// Its decorators, from the outside in.
    pub chain: Vec<String>,
    /// Those whose condition did not hold.
    pub left_out: Vec<String>,
    /// What can be measured of the chain.
    #[serde(skip)]
    pub(super) layers: Vec<(String, Layer)>,
}

impl ContainerBuilder {
    /// Puts decorators around whatever a service trait is bound to, the first outermost. Of two statements for the same
    /// service the later is outside.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use paravel::container::{ContainerBuilder, ContainerError};
    /// use paravel::service;
    /// use paravel::service::{Logging, Metrics, Tracing};
    /// use paravel::support::Level;
    ///
    /// #[service]
    /// trait Berths {
    ///     async fn ship(&self, berth: u8) -> Result<String, ContainerError>;
    /// }
    /// # struct Harbour;
    /// # #[service]
    /// # impl Berths for Harbour {
    /// #     async fn ship(&self, berth: u8) -> Result<String, ContainerError> {
    /// #         Ok(format!("the ship at {berth}"))
    /// #     }
    /// # }
    ///
    /// fn register(app: &mut ContainerBuilder, verbose: bool) {
    ///     app.singleton(|| -> Arc<dyn Berths> { Arc::new(Harbour) });
    ///     app.decorate::<dyn Berths>()
    ///         .with(Tracing)
    ///         .with(Logging::at(Level::Info))
    ///         .when(verbose)
    ///         .with(Metrics::default());
    /// }
    /// # let mut app = ContainerBuilder::new();
    /// # register(&mut app, true);
    /// # app.freeze()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn decorate<T: ?Sized + Decoratable>(&mut self) -> Chain<'_, T> {
        Chain { builder: self, location: Location::caller(), links: Vec::new() }
    }
}

impl<T: ?Sized + Decoratable> Chain<'_, T> {
    /// Adds a decorator, inside those before it.
    pub fn with(mut self, decorator: impl Decorator) -> Self {
        let decorator: Arc<dyn Decorator> = Arc::new(decorator);
        self.links.push(Link { name: decorator.describe(), applied: true, around: Around::Decorator(decorator) });
        self
    }

    /// Keeps what `#[cached]` methods return in the application's [`Cache`], and lets `#[invalidates]` methods end that.
    pub fn cached(mut self) -> Self
    where
        T: Cacheable,
    {
        self.links.push(Link { name: "Cached".to_owned(), applied: true, around: Around::Cached(T::cached) });
        self
    }

    /// Writes each call of `#[audited]` methods to the application's [`AuditLog`]. What stands outside it is not seen there: a call
    /// that is refused further out has not been made.
    pub fn audited(mut self) -> Self
    where
        T: Auditable,
    {
        self.links.push(Link { name: "Audited".to_owned(), applied: true, around: Around::Audited(T::audited) });
        self
    }

    /// Applies the decorator before it only where this holds. One that is not applied is not there: calls do not pass it.
    pub fn when(mut self, condition: bool) -> Self {
        if let Some(link) = self.links.last_mut() {
            link.applied &= condition;
        }
        self
    }
}

impl<T: ?Sized + Decoratable> Drop for Chain<'_, T> {
    fn drop(&mut self) {
        let names = |links: &[Link<T>], applied| -> Vec<_> {
            links.iter().filter(|link| link.applied == applied).map(|link| link.name.clone()).collect()
        };
        let info = Arc::new(ServiceChain {
            service: T::service().name,
            chain: names(&self.links, true),
            left_out: names(&self.links, false),
            layers: self.links.iter().filter(|link| link.applied).map(Link::layer).collect(),
        });
        self.builder.tag(move || Arc::clone(&info));
        for gauge in self.links.iter().filter(|link| link.applied).filter_map(Link::gauge) {
            self.builder.tag(move || Arc::clone(&gauge));
        }
        let links: Vec<_> = self.links.drain(..).filter(|link| link.applied).collect();
        let is_decorated = !links.is_empty();
        let is_cached = links.iter().any(|link| matches!(link.around, Around::Cached(_)));
        let is_audited = links.iter().any(|link| matches!(link.around, Around::Audited(_)));
        for link in &links {
            for reason in link.misfits() {
                let decorator = link.name.clone();
                let (key, location) = (Key::of::<T>().to_string(), self.location);
                let location = format!("{}:{}", location.file(), location.line());
                self.builder.fault(GraphFault::Decorator { key, decorator, location, reason });
            }
        }
        let around = move |inner, needs: &Needs| -> Arc<T> {
            links.iter().rev().fold(inner, |inner, link| link.around(inner, needs))
        };
        let location = self.location;
        match (is_cached, is_audited) {
            (true, true) => self.builder.extend_from(location, move |inner, cache: Arc<Cache>, log, who, clock| {
                around(inner, &Needs { cache: Some(cache), auditor: Some(Auditor::new(log, who, clock)) })
            }),
            (true, false) => self.builder.extend_from(location, move |inner, cache: Arc<Cache>| {
                around(inner, &Needs { cache: Some(cache), ..Needs::default() })
            }),
            (false, true) => self.builder.extend_from(
                location,
                move |inner, log: Arc<dyn AuditLog>, who: Arc<dyn WhoActs>, clock: Arc<dyn Clock>| {
                    around(inner, &Needs { auditor: Some(Auditor::new(log, who, clock)), ..Needs::default() })
                },
            ),
            (false, false) if is_decorated => {
                self.builder.extend_from(location, move |inner| around(inner, &Needs::default()))
            }
            // Where nothing is applied the service is the bound instance itself.
            (false, false) => return,
        };
    }
}

impl<T: ?Sized + Decoratable> Link<T> {
    fn around(&self, inner: Arc<T>, needs: &Needs) -> Arc<T> {
        match (&self.around, needs) {
            (Around::Decorator(decorator), _) => T::decorate(inner, Arc::clone(decorator)),
            (Around::Cached(around), Needs { cache: Some(cache), .. }) => around(inner, cache),
            (Around::Audited(around), Needs { auditor: Some(auditor), .. }) => around(inner, auditor),
            // What a link needs is asked for where there is such a link.
            (Around::Cached(_) | Around::Audited(_), _) => inner,
        }
    }

    fn gauge(&self) -> Option<Arc<dyn Gauge>> {
        match &self.around {
            Around::Decorator(decorator) => decorator.gauge(),
            Around::Cached(_) | Around::Audited(_) => None,
        }
    }

    fn layer(&self) -> (String, Layer) {
        let layer = match &self.around {
            Around::Decorator(decorator) => Layer::Decorator(Arc::clone(decorator)),
            Around::Cached(_) => Layer::Cached,
            Around::Audited(_) => Layer::Audited,
        };
        (self.name.clone(), layer)
    }

    /// Why it cannot go around this service.
    fn misfits(&self) -> Vec<String> {
        let Around::Decorator(decorator) = &self.around else { return Vec::new() };
        let service = T::service();
        let stubborn = service.decorated().filter(|method| decorator.refuses() && !method.refusable);
        let stubborn = stubborn.map(|method| {
            format!(
                "it may refuse a call, and what `{}` returns cannot say so: return a `Result` and implement \
                 `From<paravel::service::ServiceError>` for its error",
                method.name
            )
        });
        stubborn.chain(decorator.check(service).err()).collect()
    }
}
