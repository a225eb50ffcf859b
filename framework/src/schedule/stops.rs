use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::container::spawn;

/// What asks a scheduler to stop: the first time to begin nothing more and let go on what runs, the second time to stop at once.
pub struct Stops(Option<mpsc::Receiver<()>>);

impl Stops {
    /// Nothing does.
    pub fn never() -> Self {
        Self(None)
    }

    /// Whatever this receives. Where the sender is dropped, nothing does any more.
    pub fn when(asked: mpsc::Receiver<()>) -> Self {
        Self(Some(asked))
    }

    /// Ctrl+C and SIGTERM.
    ///
    /// # Errors
    /// Where signals cannot be listened to.
    pub fn on_signals() -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (ask, asked) = mpsc::channel(2);
        spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = ask.closed() => return,
                }
                if ask.send(()).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self::when(asked))
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let asked = match &mut self.0 {
            Some(asked) => asked.recv().await,
            None => None,
        };
        if asked.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
