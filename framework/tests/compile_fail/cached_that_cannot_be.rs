use paravel::container::ContainerError;

type Answer<T> = Result<T, ContainerError>;

#[paravel::service]
trait Logbook {
    #[cached(key = "log:{ship}", ttl = "30m")]
    async fn misspelt(&self, shop: &str) -> Result<u32, ContainerError>;
    #[cached(key = "log:{ship}", ttl = "30m")]
    async fn by_page(&self, ship: &str, page: u32) -> Result<u32, ContainerError>;
    #[cached(key = "log", ttl = "30m")]
    async fn no_result(&self) -> u32;
    #[cached(key = "log", ttl = "30m")]
    fn sync(&self) -> Result<u32, ContainerError>;
    #[cached(key = "login:{name}:{password}", ttl = "30m")]
    async fn check(&self, name: &str, #[secret] password: &str) -> Result<bool, ContainerError>;
    #[cached(key = "log", ttl = "soon")]
    async fn late(&self) -> Result<u32, ContainerError>;
    #[cached(key = "log")]
    async fn forever(&self) -> Result<u32, ContainerError>;
    #[cached(key = "log", ttl = "1h", forget)]
    async fn unknown(&self) -> Answer<u32>;
    #[cached(key = "log", ttl = "1h")]
    #[invalidates(tags("log"))]
    async fn both(&self) -> Result<u32, ContainerError>;
    #[invalidates(tags("log:{nothing}"))]
    async fn write(&self) -> Result<u32, ContainerError>;
    #[invalidates]
    async fn nothing(&self) -> Result<u32, ContainerError>;
    #[idempotent]
    fn count(&self) -> u32;
    #[idempotent]
    async fn fill(&self, into: &mut u32) -> u32;
}

fn main() {}
