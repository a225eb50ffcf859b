use paravel::container::{ContainerBuilder, ContainerError};

struct Page;

#[paravel::service]
trait Missing {
    #[audited("page.torn", before = look(page))]
    async fn tear(&self, page: u32) -> Result<(), ContainerError>;
}

#[paravel::service]
trait Arguments {
    async fn find(&self, page: u32) -> Result<u32, ContainerError>;
    #[audited("page.torn", before = find(page, page))]
    async fn tear(&self, page: u32) -> Result<(), ContainerError>;
}

#[paravel::service]
trait Sync {
    fn find(&self, page: u32) -> Result<u32, ContainerError>;
    #[audited("page.torn", before = find(page))]
    async fn tear(&self, page: u32) -> Result<(), ContainerError>;
}

#[paravel::service]
trait Opaque {
    async fn find(&self, page: u32) -> Result<Page, ContainerError>;
    async fn maybe(&self, page: u32) -> Option<u32>;
    #[audited("page.torn", before = find(page), after = maybe(page))]
    async fn tear(&self, page: u32) -> Result<(), ContainerError>;
}

#[paravel::service]
trait Unmarked {
    async fn tear(&self, page: u32) -> Result<(), ContainerError>;
}

fn register(app: &mut ContainerBuilder) {
    app.decorate::<dyn Unmarked>().audited();
}

fn main() {}
