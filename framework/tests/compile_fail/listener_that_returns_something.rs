use paravel::{events::Listener, events::ListenerEntry, Inject, listener};

#[derive(serde::Serialize, serde::Deserialize)]
struct Sailed;

struct NotAnEvent;

#[listener]
async fn counts(_event: &Sailed) -> usize {
    1
}

#[listener]
async fn hears_nothing(_event: &NotAnEvent) {}

#[derive(Inject)]
struct Type;

#[listener]
impl Listener<Sailed> for Type {
    async fn handle(&self, _event: &Sailed) -> Option<u8> {
        None
    }
}

fn main() {
    let _ = ListenerEntry::of_fn(async |_event: &Sailed, _name: String| {});
}
