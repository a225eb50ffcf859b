use std::sync::Arc;

use tokio::runtime::Handle;

use super::{AnyEvent, EventBus};
use crate::{
    container::{Ambient, Scope, current, enter_sync, spawn},
    support::{Carried, Signal, SignalSink},
};

impl SignalSink for EventBus {
    /// Runs the listeners of the signal's type in a task and a scope of their own. What they themselves give rise to is not
    /// carried further: a slow query in a listener of slow queries would never end. The jobs that they
    /// dispatch, or that they are, give rise to nothing either.
    fn raise(self: Arc<Self>, signal: Signal) {
        let event = AnyEvent::carried(signal);
        let Ok(app) = current() else { return };
        let carried = app.current_scope().is_some_and(|scope| scope.get::<Carried>().is_some());
        if carried || !self.hears(event.key()) || Handle::try_current().is_err() {
            return;
        }
        // Not the scope of whoever raised it, which may be inside a transaction.
        let scope = Scope::new();
        scope.set(Carried);
        let begun = self.carried.begin();
        let listeners = async move {
            let _begun = begun;
            if let Err(error) = self.run(&event, true).await {
                tracing::error!(error = %error, "a signal met an error");
            }
        };
        enter_sync(Ambient::new(app.with_scope(Arc::new(scope))), || spawn(listeners));
    }
}
