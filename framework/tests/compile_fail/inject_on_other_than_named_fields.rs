use paravel::Inject;

#[derive(Inject)]
enum Either {
    This,
}

#[derive(Inject)]
struct Tuple(std::sync::Arc<String>);

#[derive(Inject)]
struct Generic<T> {
    inner: std::sync::Arc<T>,
}

#[derive(Inject)]
#[inject(dyn ToString)]
struct WithoutAs {}

#[derive(Inject)]
struct Field {
    #[inject(optional)]
    name: String,
}

fn main() {}
