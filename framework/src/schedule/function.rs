use std::{future::Future, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};

use crate::{
    container::{Container, Dependencies, Dependency, Resolver, up_to_eight},
    support::BoxError,
};

/// An async function or closure whose arguments are up to eight dependencies: what a task does, or what is asked before it.
/// Functions and closures are one by themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be scheduled",
    note = "write `async |service: Arc<dyn Service>| {{ .. }}`, or name an `async fn` whose arguments are up to eight \
            dependencies (`Arc<T>`, `Inject<T>`)",
    note = "what it holds over an `.await` has to be `Send`, and what it captures `Clone`"
)]
pub trait TaskFn<Arguments>: Clone + Send + Sync + 'static {
    /// What it returns.
    type Returned;

    /// Calls it.
    fn call(self, arguments: Arguments) -> impl Future<Output = Self::Returned> + Send + 'static;
}

/// What a task's function may return: `()` or a `Result` of it; and of a condition's `bool`.
#[diagnostic::on_unimplemented(
    message = "a scheduled function cannot return `{Self}` here",
    note = "a task and its hooks return `()` or `Result<(), E>`, a condition `bool` or `Result<bool, E>`, where `E` is an error"
)]
pub trait TaskOutput<T> {
    /// The result, whatever the form.
    ///
    /// # Errors
    /// The function's own.
    fn into_result(self) -> Result<T, BoxError>;
}

impl TaskOutput<()> for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl TaskOutput<bool> for bool {
    fn into_result(self) -> Result<bool, BoxError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Into<BoxError>> TaskOutput<T> for Result<T, E> {
    fn into_result(self) -> Result<T, BoxError> {
        self.map_err(Into::into)
    }
}

/// A function without its types.
pub(super) type Call<T> =
    Arc<dyn for<'a> Fn(&'a Container) -> BoxFuture<'a, Result<T, BoxError>> + Send + Sync + 'static>;

pub(super) fn erased<T, Arguments, Function>(function: Function) -> Call<T>
where
    T: 'static,
    Arguments: Dependencies + Send,
    Function: TaskFn<Arguments, Returned: TaskOutput<T>>,
{
    Arc::new(move |app| {
        // An async closure lends what it holds to its future, unless it gives itself up.
        let function = function.clone();
        async move {
            let arguments = Arguments::resolve(&Resolver::new(app))?;
            function.call(arguments).await.into_result()
        }
        .boxed()
    })
}

macro_rules! functions {
    ($($argument:ident)*) => {
        impl<Function, Fut, $($argument: Dependency),*> TaskFn<($($argument,)*)> for Function
        where
            Function: FnOnce($($argument),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future + Send + 'static,
        {
            type Returned = Fut::Output;

            #[allow(non_snake_case, reason = "an argument is called as its type")]
            fn call(
                self,
                ($($argument,)*): ($($argument,)*),
            ) -> impl Future<Output = Fut::Output> + Send + 'static {
                self($($argument),*)
            }
        }
    };
}

up_to_eight!(functions);
