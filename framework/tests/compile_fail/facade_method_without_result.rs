#[paravel::service(facade = Greetings)]
trait Greeter {
    async fn greet(&self) -> Result<String, paravel::container::ContainerError>;
    async fn leave(&self);
}

#[paravel::service(facade = Numbers)]
trait Number {
    fn number(&self) -> u32;
}

fn main() {}
