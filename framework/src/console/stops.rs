use std::{io, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

use crate::container::spawn;

/// How often what stays has been asked to stop: the first time it begins nothing more and lets go on what runs, the second time it stops at
/// once. A clone is the same.
///
/// ```
/// use paravel::console::Stops;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let (ask, asked) = tokio::sync::watch::channel(0);
/// let stops = Stops::when(asked);
/// ask.send_replace(1);
/// stops.asked(1).await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stops(watch::Receiver<u32>);

impl Stops {
    /// Nothing asks.
    pub fn never() -> Self {
        Self(watch::channel(0).1)
    }

    /// As often as this says. Where the sender is dropped, nobody asks any more.
    pub fn when(asked: watch::Receiver<u32>) -> Self {
        Self(asked)
    }

    /// By Ctrl+C or SIGTERM, from now on: begun with before anything is printed, whoever reads that and asks is heard.
    ///
    /// # Errors
    /// Where signals cannot be listened to.
    pub fn on_signals() -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (ask, asked) = watch::channel(0);
        spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = ask.closed() => return,
                }
                ask.send_modify(|times| *times += 1);
            }
        });
        Ok(Self(asked))
    }

    /// Is ready once it has been asked for so often.
    pub fn asked(&self, times: u32) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.0.clone();
        async move {
            if asked.wait_for(|asked| *asked >= times).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Is ready when what was let go on is to end: so long after it has been asked for, from now where it was before; or once it is asked
    /// for again.
    pub fn enough(&self, grace: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (first, second) = (self.asked(1), self.asked(2));
        async move {
            first.await;
            tokio::select! {
                biased;
                () = second => {}
                () = sleep(grace) => {}
            }
        }
    }
}
