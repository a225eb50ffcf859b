use paravel::container::ContainerError;

struct Page;

#[paravel::service]
trait Logbook {
    async fn find(&self, page: u32) -> Result<Page, ContainerError>;
    fn count(&self) -> Result<u32, ContainerError>;
    #[audited]
    async fn unnamed(&self) -> Result<(), ContainerError>;
    #[audited("")]
    async fn empty(&self) -> Result<(), ContainerError>;
    #[audited("page.torn")]
    fn sync(&self) -> Result<(), ContainerError>;
    #[audited("page.torn")]
    #[audited("page.burnt")]
    async fn twice(&self) -> Result<(), ContainerError>;
    #[audited("page.torn", previously = find(page))]
    async fn unknown(&self, page: u32) -> Result<(), ContainerError>;
    #[audited("page.torn", before = find)]
    async fn no_call(&self, page: u32) -> Result<(), ContainerError>;
    #[audited("page.torn", before = find(1 + 1))]
    async fn computed(&self, page: u32) -> Result<(), ContainerError>;
    #[audited("page.torn", before = find(shop))]
    async fn misspelt(&self, page: u32) -> Result<(), ContainerError>;
    #[audited("page.torn", after = find(page))]
    async fn secret(&self, #[secret] page: u32) -> Result<(), ContainerError>;
}

fn main() {}
