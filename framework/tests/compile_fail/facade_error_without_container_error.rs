#[derive(Debug)]
enum GreetError {
    Rude,
}

#[paravel::service(facade = Greetings)]
trait Greeter {
    async fn greet(&self, name: &str) -> Result<String, GreetError>;
}

fn main() {}
