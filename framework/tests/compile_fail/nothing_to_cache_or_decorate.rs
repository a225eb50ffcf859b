use paravel::container::{ContainerBuilder, ContainerError};

#[paravel::service]
trait Logbook {
    async fn write(&self) -> Result<(), ContainerError>;
}

trait Plain: Send + Sync {}

fn register(app: &mut ContainerBuilder) {
    app.decorate::<dyn Logbook>().cached();
    app.decorate::<dyn Plain>();
}

fn main() {}
