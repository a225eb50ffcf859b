#[paravel::service]
trait Store {
    async fn put<T: Send>(&self, value: T);
    async fn show(&self, value: impl ToString + Send);
}

fn main() {}
