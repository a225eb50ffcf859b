#[paravel::service]
trait Store {
    type Item;
    const SIZE: usize;
}

#[paravel::service(name = Stores)]
trait Named {}

#[paravel::service]
fn store() {}

fn main() {}
