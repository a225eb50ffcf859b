//! The attributes of the `paravel` crate. Each expands to a few lines that call `paravel::__private`; the
//! equivalent that one would write by hand stands in its documentation.

mod endpoint;
mod inject;
mod job;
mod listener;
mod listener_impl;
mod migrations;
mod service;
mod service_audited;
mod service_cached;
mod service_decorated;
mod service_key;
mod service_method;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a trait a service: object-safe although its methods are `async`, shared between threads, and, with
/// `facade = Name`, reachable from anywhere in the application as `Name::method(..).await?`. On an `impl` of such
/// a trait it stands alone.
///
/// A method takes `&self` and has no type parameters. With a facade it returns a `Result` whose error is
/// `From<ContainerError>`.
///
/// ```ignore
/// #[service(facade = Greetings)]
/// pub trait Greeter {
///     async fn greet(&self, name: &str) -> Result<String, GreetError>;
/// }
///
/// #[service]
/// impl Greeter for Polite {
///     async fn greet(&self, name: &str) -> Result<String, GreetError> {
///         Ok(format!("Good day, {name}"))
///     }
/// }
/// ```
///
/// By hand, the trait would be
///
/// ```ignore
/// pub trait Greeter: Send + Sync + 'static {
///     fn greet<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, GreetError>>;
/// }
///
/// pub struct Greetings;
///
/// impl Greetings {
///     pub async fn greet(name: &str) -> Result<String, GreetError> {
///         let app = paravel::container::current().map_err(ContainerError::from)?;
///         app.make::<dyn Greeter>()?.greet(name).await
///     }
/// }
/// ```
///
/// It can be decorated too, by `app.decorate::<dyn Greeter>()`; `paravel::service` has the decorators, and what is made
/// for them by hand. Attributes inside the trait speak to them:
///
/// - `#[idempotent]` on a method: it may run again with the same arguments, which are `Clone`.
/// - `#[secret]` on an argument: it is shown as `[secret]`.
/// - `#[cached(key = "users:{id}", ttl = "30m", tags("users"))]` on a method: what it returns is kept under the key,
///   which speaks of every argument by its `Display`, in which `:` and `%` are percent-encoded; `None` only with `keep_none`, an error never. With `when = page < 100` the
///   calls for which that holds of the arguments, and others go straight to the service. Where that of a
///   method `find` is kept says `<dyn Greeter>::cached_find(..)`, for `paravel::service::prefetch`.
/// - `#[invalidates(tags("users:{id}"))]` on a method: what is kept under the tags is no longer true once it has run.
/// - `#[audited("user.updated", before = find(id), after = find(id))]` on a method: each call is written to the audit
///   log, with what other methods of the trait return before and after it. Without `after` it is what the call itself
///   returns, where that is `Serialize`.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::Item);
    service::expand(arguments.into(), item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an async function a handler: its arguments are extractors, and routes can tell what it takes, returns and
/// has injected.
///
/// ```ignore
/// /// Shows one user.
/// #[endpoint]
/// pub async fn show(id: Path<UserId>, users: Inject<dyn UserService>) -> Result<Json<UserResource>> { .. }
/// ```
///
/// By hand, it would be
///
/// ```ignore
/// pub fn show() -> impl Handler {
///     struct Show;
///
///     impl poem::Endpoint for Show {
///         type Output = poem::Response;
///         async fn call(&self, request: poem::Request) -> poem::Result<poem::Response> {
///             let (request, mut body) = request.split();
///             let id = Path::from_request(&request, &mut body).await?;
///             let users = Inject::from_request(&request, &mut body).await?;
///             show(id, users).await.map(IntoResponse::into_response).map_err(Into::into)
///         }
///     }
///
///     impl Handler for Show {
///         fn operation(&self) -> Operation { .. }
///     }
///
///     Show
/// }
/// ```
#[proc_macro_attribute]
pub fn endpoint(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as syn::ItemFn);
    endpoint::expand(&arguments.into(), &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Registers a listener where it stands: an async function, or an `impl` of `Listener` or `Subscriber`.
///
/// `priority = n` puts it before listeners of a lower one (default 0). `events = "User*"` is for a listener of
/// `AnyEvent`: of these names alone. A subscriber says both of its methods itself. `name = ".."` is the listener's name in place of
/// its path.
///
/// `queue = "mail"` runs it as a job of that queue, and `queue` by itself of `default`; with it go `tries = 5`,
/// `backoff = ["10s", "1m"]`, `timeout = "30s"`, `delay = "1h"` and `after_commit = false`. Its jobs are found by its name, which so
/// has to stay: let it say one.
///
/// A function takes its event by reference first; what follows are dependencies. It returns `()`, `Propagation`, or a
/// `Result` of either.
///
/// ```ignore
/// #[listener]
/// pub async fn log_welcome(event: &UserRegistered, log: Inject<dyn LogSink>) -> Result<(), BoxError> { .. }
///
/// #[listener(events = "User*", priority = 100)]
/// async fn count(event: &AnyEvent, metrics: Inject<Metrics>) { .. }
/// ```
///
/// By hand, it would be
///
/// ```ignore
/// application
///     .listen(log_welcome)
///     .listener(ListenerEntry::of_fn(count).matching("User*").priority(100))
/// ```
///
/// The dependencies of a type are its fields, and several `impl`s listen to several events.
///
/// ```ignore
/// #[derive(Inject)]
/// struct SendWelcome {
///     mailer: Arc<dyn Mailer>,
/// }
///
/// #[listener(priority = 5)]
/// impl Listener<UserRegistered> for SendWelcome {
///     async fn handle(&self, event: &UserRegistered) -> Result<(), MailError> { .. }
/// }
///
/// #[listener]
/// impl Subscriber for Activity {
///     fn subscribe(events: &mut Subscriptions<Self>) {
///         events.listen(Self::registered);
///         events.listen(Self::deleted).priority(5);
///     }
/// }
/// ```
///
/// By hand, the `impl` of `Listener` would also say `type Output = Result<(), MailError>;`, and the application
///
/// ```ignore
/// application
///     .listener(ListenerEntry::of::<SendWelcome, UserRegistered>().priority(5))
///     .subscriber::<Activity>()
/// ```
#[proc_macro_attribute]
pub fn listener(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::Item);
    listener::expand(arguments.into(), item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a serde struct a job, and registers it with the application that the crate is linked into. It stands on an `impl` of the
/// type's own, whose `handle` takes the job, and then what it needs, and `&JobRun` where it wants to know about the attempt; its
/// error is anything that becomes a `BoxError`.
///
/// ```ignore
/// #[derive(Serialize, Deserialize)]
/// struct SendWelcome {
///     user: UserId,
/// }
///
/// #[job(name = "mail.welcome", queue = "mail", tries = 5, backoff = ["10s", "1m", "10m"], timeout = "30s")]
/// impl SendWelcome {
///     async fn handle(self, users: Arc<dyn UserService>, mailer: Arc<dyn Mailer>) -> Result<(), MailError> { .. }
///
///     fn unique(&self) -> Option<UniqueKey> {
///         Some(UniqueKey::new(self.user.to_string()))
///     }
/// }
/// ```
///
/// Its `unique`, `rate_limit`, `concurrency`, `middleware` and `upcast` are those of `Job` where it has them. Without `name` it is
/// stored under its type's name: say it before the type is renamed while jobs wait. The other options are `priority = "high"`,
/// `retry_for = "1h"`, `version = 2`, `encrypted` and `after_commit = false`.
///
/// By hand, it would be
///
/// ```ignore
/// impl Job for SendWelcome {
///     const NAME: &'static str = "mail.welcome";
///     const QUEUE: &'static str = "mail";
///     const TRIES: u32 = 5;
///     const BACKOFF: Backoff = Backoff::List(Cow::Borrowed(&[
///         Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(600),
///     ]));
///     const TIMEOUT: Duration = Duration::from_secs(30);
///     type Dependencies = (Arc<dyn UserService>, Arc<dyn Mailer>);
///
///     async fn handle(self, (users, mailer): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> { .. }
///
///     fn unique(&self) -> Option<UniqueKey> { .. }
/// }
///
/// application.job::<SendWelcome>()
/// ```
///
/// On such an `impl Job` it stands too, and then says nothing itself.
#[proc_macro_attribute]
pub fn job(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemImpl);
    job::expand(arguments.into(), &item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Gives a struct a constructor whose arguments are its fields, to be bound as it stands:
/// `app.singleton(DieselUsers::inject)`.
///
/// `#[inject(as = dyn Trait)]` on the struct makes the trait the key. `#[inject(default)]` on a field fills it by
/// `Default` instead.
///
/// ```ignore
/// #[derive(Inject)]
/// #[inject(as = dyn UserRepository)]
/// pub struct DieselUsers {
///     db: Arc<Database>,
/// }
/// ```
///
/// By hand, it would be
///
/// ```ignore
/// impl DieselUsers {
///     pub fn inject(db: Arc<Database>) -> Arc<dyn UserRepository> {
///         Arc::new(Self { db })
///     }
/// }
/// ```
#[proc_macro_derive(Inject, attributes(inject))]
pub fn inject(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    inject::expand(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Embeds a folder of migrations, relative to the package: `migrations!("database/migrations")`.
///
/// Each migration is a folder, taken in the order of the names, with `up.sql`, `down.sql`, and `up.<backend>.sql`
/// or `down.<backend>.sql` where a dialect differs. A `build.rs` that prints
/// `cargo::rerun-if-changed=database/migrations` makes cargo see a new one.
///
/// By hand, it would be a `&[Migration { name: "..", up: include_str!(".."), .. }]`.
#[proc_macro]
pub fn migrations(folder: TokenStream) -> TokenStream {
    let folder = parse_macro_input!(folder as syn::LitStr);
    migrations::expand(&folder).unwrap_or_else(syn::Error::into_compile_error).into()
}
