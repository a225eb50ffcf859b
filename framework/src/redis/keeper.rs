use std::{sync::Arc, time::Duration};

use ::redis::{aio::MultiplexedConnection, cmd};
use parking_lot::RwLock;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    RedisError,
    connect::{Server, Session},
};
use crate::{
    config::AppConfig,
    container::{Container, with_current},
    support::is_here,
};

/// How long is waited after the first failed attempt to connect; twice as long after each other one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest that is waited between attempts, and how long a connection has to last for the first pause to come again. What a
/// cache has to tell a server that is back waits for as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How it stands with the one connection.
enum State {
    /// It is being made, and soon will be or not.
    Connecting,
    Up(MultiplexedConnection),
    /// It could not be made, and is tried again.
    Down(RedisError),
}

/// The connection that all commands share. A task makes it, sees its end and makes it anew; it ends with the last
/// [`Keeper`], or with its runtime, after which the next command starts another.
pub(super) struct Keeper {
    pub(super) server: Arc<Server>,
    state: RwLock<Option<watch::Receiver<State>>>,
    doubt: Arc<Notify>,
}

impl Keeper {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, state: RwLock::default(), doubt: Arc::default() }
    }

    /// The connection, for which is waited only while it may come: where the server is known to be down, this fails at once.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        if let Some(states) = &*self.state.read()
            && states.has_changed().is_ok()
            && let Some(known) = known(states)
        {
            return known;
        }
        let mut states = self.states();
        loop {
            states.mark_unchanged();
            if let Some(known) = known(&states) {
                return known;
            }
            // An attempt takes no longer than it may.
            if states.changed().await.is_err() {
                return Err(self.server.unavailable("the runtime that had its connection is gone"));
            }
        }
    }

    /// Says that an answer did not come, so that a connection by which none comes at all is given up.
    pub(super) fn doubt(&self) {
        self.doubt.notify_one();
    }

    fn states(&self) -> watch::Receiver<State> {
        let mut state = self.state.write();
        if let Some(states) = &*state
            && states.has_changed().is_ok()
        {
            return states.clone();
        }
        let (sender, states) = watch::channel(State::Connecting);
        *state = Some(states.clone());
        warn_in_production(&self.server);
        start(Arc::clone(&self.server), sender, Arc::clone(&self.doubt));
        states
    }
}

fn known(states: &watch::Receiver<State>) -> Option<Result<MultiplexedConnection, RedisError>> {
    match &*states.borrow() {
        State::Connecting => None,
        State::Up(connection) => Some(Ok(connection.clone())),
        State::Down(error) => Some(Err(error.clone())),
    }
}

#[expect(clippy::disallowed_methods, reason = "the connection is everybody's, and belongs to no caller's scope")]
fn start(server: Arc<Server>, state: watch::Sender<State>, doubt: Arc<Notify>) {
    tokio::spawn(async move {
        tokio::select! {
            () = keep(&server, &state, &doubt) => {}
            () = state.closed() => {}
        }
    });
}

async fn keep(server: &Server, state: &watch::Sender<State>, doubt: &Notify) {
    let (mut failures, mut asked) = (0, false);
    loop {
        let error = match server.open(Some(server.timeout)).await {
            Ok(mut session) => {
                if failures > 0 {
                    tracing::info!(address = server.address.shown, "Redis is reached again");
                }
                let since = Instant::now();
                state.send_replace(State::Up(session.connection.clone()));
                let mut connection = session.connection.clone();
                let look = async {
                    if !std::mem::replace(&mut asked, true) {
                        warn_of_eviction(server, &mut connection).await;
                    }
                };
                tokio::join!(lost(server, &mut session, doubt), look);
                if since.elapsed() >= LONGEST_PAUSE {
                    failures = 0;
                    state.send_replace(State::Connecting);
                    continue;
                }
                server.unavailable("the connection was lost as soon as it was made")
            }
            Err(error) => error,
        };
        if failures == 0 {
            tracing::warn!(address = server.address.shown, %error, "Redis cannot be reached, and is tried again");
        }
        state.send_replace(State::Down(error));
        tokio::time::sleep(pause(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// Waits until the connection is lost, or is found to be of no use.
async fn lost(server: &Server, session: &mut Session, doubt: &Notify) {
    let mut asked = session.connection.clone();
    asked.set_response_timeout(server.connect_timeout);
    let silent = async {
        loop {
            doubt.notified().await;
            // One slow command, or a host that is gone without a word?
            let answer = cmd("PING").exec_async(&mut asked).await;
            if answer.is_err_and(|error| error.is_timeout()) {
                return;
            }
        }
    };
    tokio::select! {
        _ = session.carrier.join_next() => {}
        () = silent => {}
    }
}

/// A quarter more or less, so that not all processes come at the same time.
fn pause(failures: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE);
    let part = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    pause.mul_f64(0.75 + part / 2.0)
}

/// Says in production that whoever stands between here and the server reads along.
fn warn_in_production(server: &Server) {
    let Some(host) = server.address.unencrypted().filter(|host| !is_here(host)) else { return };
    let in_production = |app: &Container| app.make::<AppConfig>().is_ok_and(|app| app.is_production());
    if with_current(in_production).unwrap_or(false) {
        tracing::warn!(host, "Redis is reached without TLS: say `rediss://` in REDIS_URL");
    }
}

/// Says where the server may take out whatever it likes when its memory is full: locks, limits and queues have no time that
/// would not matter. Who may not ask is not told.
async fn warn_of_eviction(server: &Server, connection: &mut MultiplexedConnection) {
    let mut question = cmd("CONFIG");
    question.arg("GET").arg("maxmemory-policy");
    let answer: Result<Vec<String>, _> = question.query_async(connection).await;
    if let Some(policy) = answer.ok().and_then(|answer| answer.into_iter().nth(1))
        && policy.starts_with("allkeys-")
    {
        tracing::warn!(
            address = server.address.shown,
            policy,
            "Redis may drop locks and limits when its memory is full: its maxmemory-policy had better be `noeviction` or `volatile-ttl`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        for (failures, expected) in [(0, 50), (1, 100), (3, 400), (6, 1000), (u32::MAX, 1000)] {
            let (pause, expected) = (pause(failures).as_millis(), expected);
            assert!(pause >= expected * 3 / 4 && pause <= expected * 5 / 4, "{failures}: {pause}");
        }
    }
}
