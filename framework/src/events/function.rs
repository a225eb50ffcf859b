use std::future::Future;

use super::ListenerOutput;
use crate::container::{Dependency, up_to_eight};

/// An async function or closure as a listener: takes the event by reference first, then up to eight dependencies.
///
/// `Fn` alone cannot say that the future may borrow the event; for each of its lifetimes, this can. Functions and closures
/// are one by themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener",
    note = "write `async |event: &UserRegistered| {{ .. }}`, or name an `async fn` whose first argument is `&UserRegistered` \
            and whose others are up to eight dependencies (`Arc<T>`, `Inject<T>`)",
    note = "what it holds over an `.await` has to be `Send`"
)]
pub trait ListenerFn<'e, E, Arguments> {
    /// Calls it.
    fn call(self, event: &'e E, arguments: Arguments) -> impl Future<Output: ListenerOutput> + Send + 'e;
}

/// An async method of a subscriber's as a listener.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener of this subscriber's",
    note = "name an `async fn` of it that takes `&self` and an event: `async fn registered(&self, event: &UserRegistered)`",
    note = "what it holds over an `.await` has to be `Send`"
)]
pub trait ListenerMethod<'e, S, E> {
    /// Calls it.
    fn call(&self, subscriber: &'e S, event: &'e E) -> impl Future<Output: ListenerOutput> + Send + 'e;
}

impl<'e, Function, Fut, S: 'static, E: 'static> ListenerMethod<'e, S, E> for Function
where
    Function: Fn(&'e S, &'e E) -> Fut,
    Fut: Future<Output: ListenerOutput> + Send + 'e,
{
    fn call(&self, subscriber: &'e S, event: &'e E) -> impl Future<Output: ListenerOutput> + Send + 'e {
        self(subscriber, event)
    }
}

macro_rules! functions {
    ($($argument:ident)*) => {
        impl<'e, Function, Fut, E: 'static, $($argument: Dependency),*> ListenerFn<'e, E, ($($argument,)*)> for Function
        where
            Function: FnOnce(&'e E, $($argument),*) -> Fut,
            Fut: Future<Output: ListenerOutput> + Send + 'e,
        {
            #[allow(non_snake_case, reason = "an argument is called as its type")]
            fn call(
                self,
                event: &'e E,
                ($($argument,)*): ($($argument,)*),
            ) -> impl Future<Output: ListenerOutput> + Send + 'e {
                self(event, $($argument),*)
            }
        }
    };
}

up_to_eight!(functions);
