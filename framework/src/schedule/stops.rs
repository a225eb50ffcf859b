use std::{io, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::sleep,
};

use crate::container::spawn;

/// What asks a scheduler to stop: the first time to begin nothing more and let go on what runs, the second time to stop at once.
pub struct Stops {
    asked: Option<mpsc::Receiver<()>>,
    /// How often it has asked so far.
    times: u32,
}

impl Stops {
    /// Nothing does.
    pub fn never() -> Self {
        Self { asked: None, times: 0 }
    }

    /// Whatever this receives. Where the sender is dropped, nothing does any more.
    pub fn when(asked: mpsc::Receiver<()>) -> Self {
        Self { asked: Some(asked), times: 0 }
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
        let asked = match &mut self.asked {
            Some(asked) => asked.recv().await,
            None => None,
        };
        if asked.is_none() {
            std::future::pending::<()>().await;
        }
        self.times += 1;
    }

    /// Waits until what was let go on is to end: for so long once a stop has been asked for, from now where it was before; or until
    /// it is asked for again.
    pub(super) async fn enough(&mut self, grace: Duration) {
        if self.times == 0 {
            self.next().await;
        }
        if self.times == 1 {
            tokio::select! {
                () = sleep(grace) => {}
                () = self.next() => {}
            }
        }
    }
}
