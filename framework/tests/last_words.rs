//! What is raised last is heard before the process ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    events::ListenerEntry,
    foundation::Application,
    support::{Env, Signal, SignalSink},
};
use serde::{Deserialize, Serialize};

use crate::events::Journal;

#[derive(Serialize, Deserialize)]
struct Capsized;

#[derive(Default)]
struct Heard(AtomicBool);

async fn hear(_: &Capsized, heard: Arc<Heard>) {
    // As long as a mail might take.
    tokio::time::sleep(Duration::from_millis(50)).await;
    heard.0.store(true, SeqCst);
}

#[tokio::test]
async fn listeners_of_a_signal_end_before_the_application_does() {
    let env = Env::from_pairs([("APP_ENV", "testing")]);
    let builder = Application::builder().env(env).listener(ListenerEntry::of_fn(hear)).replace(|app| {
        app.instance(Arc::new(Heard::default()));
        app.instance(Arc::new(Journal::default()));
    });
    let app = builder.build().unwrap();
    let sink = app.container().make::<dyn SignalSink>().unwrap();
    app.container().run(async move { sink.raise(Signal::new(Capsized)) }).await;
    app.shutdown().await;
    assert!(app.container().make::<Heard>().unwrap().0.load(SeqCst));
}
