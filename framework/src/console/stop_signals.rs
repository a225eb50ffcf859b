use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};

use crate::container::spawn;

/// How often the process has been asked to stop, by Ctrl+C or SIGTERM, since this began to listen: before anything is printed, so that
/// whoever reads it and asks is heard.
pub(crate) struct StopSignals {
    times: watch::Receiver<u32>,
    listening: JoinHandle<()>,
}

impl StopSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// Where signals cannot be listened to.
    pub(crate) fn listen() -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (asked, times) = watch::channel(0);
        let listening = spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                asked.send_modify(|times| *times += 1);
            }
        });
        Ok(Self { times, listening })
    }

    /// Is ready when it has been asked so often.
    pub(crate) fn asked(&self, times: u32) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.times.clone();
        async move {
            // Where nobody listens any more, nobody asks.
            if asked.wait_for(|asked| *asked >= times).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for StopSignals {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
