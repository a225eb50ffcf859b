#[paravel::service]
trait Counter {
    fn count(&mut self);
    fn new() -> Self;
}

fn main() {}
