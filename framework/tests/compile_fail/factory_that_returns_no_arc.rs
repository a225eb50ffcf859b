use paravel::container::ContainerBuilder;

fn main() {
    let mut app = ContainerBuilder::new();
    app.singleton(|| String::new());
}
