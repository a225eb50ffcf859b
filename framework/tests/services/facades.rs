//! Services: traits with async methods behind `dyn`, and facades that find them.

use std::{collections::BTreeMap, sync::Arc};

use paravel::{
    container::{Container, ContainerBuilder, ContainerError},
    service,
};

#[derive(Debug, thiserror::Error)]
enum BerthError {
    #[error("no berth is called {0}")]
    Unknown(String),
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// Where ships lie.
#[service(facade = Berths)]
trait BerthService {
    /// The ship at a berth.
    async fn ship(&self, berth: &str) -> Result<String, BerthError>;

    /// The berth whose name is longest, of two that are borrowed.
    async fn longer<'a>(&self, one: &'a str, other: &'a str) -> Result<&'a str, BerthError>;

    /// How many there are.
    fn count(&self) -> Result<usize, BerthError>;

    /// Arguments with names that the facade's own code might use.
    async fn rename(&self, service: &mut String, error: Vec<&str>) -> Result<usize, BerthError> {
        service.push_str(&error.concat());
        self.count()
    }

    /// Takes a pattern.
    async fn sum(&self, (one, other): (u8, u8)) -> Result<u8, BerthError> {
        Ok(one + other)
    }
}

#[derive(Default)]
struct Harbour(BTreeMap<&'static str, &'static str>);

#[service]
impl BerthService for Harbour {
    async fn ship(&self, berth: &str) -> Result<String, BerthError> {
        tokio::task::yield_now().await;
        let ship = self.0.get(berth).map(|ship| (*ship).to_owned());
        ship.ok_or_else(|| BerthError::Unknown(berth.to_owned()))
    }

    async fn longer<'a>(&self, one: &'a str, other: &'a str) -> Result<&'a str, BerthError> {
        Ok(if one.len() >= other.len() { one } else { other })
    }

    fn count(&self) -> Result<usize, BerthError> {
        Ok(self.0.len())
    }
}

/// A service without a facade may return what it likes.
#[service]
trait Quiet {
    async fn listen(&self);
    fn volume(&self) -> u8;
}

struct Library;

#[service]
impl Quiet for Library {
    async fn listen(&self) {}

    fn volume(&self) -> u8 {
        1
    }
}

fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.singleton(|| -> Arc<dyn BerthService> { Arc::new(Harbour(BTreeMap::from([("north", "Dawn Treader")]))) });
    app.singleton(|| -> Arc<dyn Quiet> { Arc::new(Library) });
    app.freeze().unwrap()
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_service_is_called_through_its_trait_object() {
    let berths = app().make::<dyn BerthService>().unwrap();
    assert_eq!(is_send(berths.ship("north")).await.unwrap(), "Dawn Treader");
    assert_eq!(berths.ship("south").await.unwrap_err().to_string(), "no berth is called south");
    let quiet = app().make::<dyn Quiet>().unwrap();
    quiet.listen().await;
    assert_eq!(quiet.volume(), 1);
}

#[tokio::test]
async fn a_facade_calls_the_service_of_the_application_that_runs() {
    let calls = app().run(is_send(async {
        let berth = "north".to_owned();
        assert_eq!(Berths::ship(&berth).await.unwrap(), "Dawn Treader");
        assert_eq!(Berths::longer("north", "south-west").await.unwrap(), "south-west");
        assert_eq!(Berths::count().unwrap(), 1);
        assert_eq!(Berths::sum((1, 2)).await.unwrap(), 3);
        let mut name = "a".to_owned();
        assert_eq!(Berths::rename(&mut name, vec!["b", "c"]).await.unwrap(), 1);
        assert_eq!(name, "abc");
    }));
    calls.await;
}

#[tokio::test]
async fn a_facade_without_an_application_returns_the_services_own_error() {
    let error = Berths::ship("north").await.unwrap_err();
    assert!(matches!(error, BerthError::Container(ContainerError::NoApplication(_))));
    assert!(error.to_string().starts_with("no application is running here"), "{error}");
    assert!(Berths::count().is_err());
}

#[tokio::test]
async fn a_facade_is_sent_along_by_spawn() {
    let task = app().run(async { paravel::spawn(async { Berths::count() }).await.unwrap() });
    assert_eq!(task.await.unwrap(), 1);
}
