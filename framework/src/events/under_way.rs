use std::sync::Arc;

use tokio::sync::watch;

/// How much is under way by itself, so that whoever ends the process can wait for it.
#[derive(Default, Clone)]
pub(super) struct UnderWay(Arc<watch::Sender<usize>>);

/// Something that is under way, until this is dropped.
pub(super) struct Begun(UnderWay);

impl UnderWay {
    pub(super) fn begin(&self) -> Begun {
        self.0.send_modify(|count| *count += 1);
        Begun(self.clone())
    }

    /// Waits until nothing is.
    pub(super) async fn over(&self) {
        // Its sender is here, so it does not end before.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
