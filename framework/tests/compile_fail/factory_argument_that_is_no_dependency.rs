use std::sync::Arc;

use paravel::container::ContainerBuilder;

fn main() {
    let mut app = ContainerBuilder::new();
    app.singleton(|name: String| Arc::new(name.len()));
}
