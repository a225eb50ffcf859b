use std::sync::Arc;

use paravel::{
    Inject,
    events::{Listener, Subscriber, Subscriptions},
    listener,
};

#[derive(serde::Serialize, serde::Deserialize)]
struct Sailed;

struct NotMade;

#[listener]
impl Listener<Sailed> for NotMade {
    async fn handle(&self, _event: &Sailed) {}
}

#[derive(Inject)]
struct Plain {
    name: Arc<String>,
}

#[listener]
impl Plain {
    async fn handle(&self, _event: &Sailed) {}
}

#[listener]
impl Clone for Plain {
    fn clone(&self) -> Self {
        Self { name: Arc::clone(&self.name) }
    }
}

#[listener]
impl<T> Listener<Sailed> for Vec<T> {
    async fn handle(&self, _event: &Sailed) {}
}

#[listener]
struct Nothing;

#[derive(Inject)]
struct Watch;

impl Watch {
    async fn without_event(&self) {}
}

#[listener(priority = 1)]
impl Subscriber for Plain {
    fn subscribe(_events: &mut Subscriptions<Self>) {}
}

#[listener]
impl Subscriber for Watch {
    fn subscribe(events: &mut Subscriptions<Self>) {
        events.listen(Self::without_event);
    }
}

fn main() {}
