use paravel::container::ContainerError;

/// All who waited for one load get its error, and of this there is one.
#[derive(Debug)]
struct Unreadable {
    _cause: std::io::Error,
}

impl From<ContainerError> for Unreadable {
    fn from(error: ContainerError) -> Self {
        Self { _cause: std::io::Error::other(error) }
    }
}

#[paravel::service]
trait Logbook {
    #[cached(key = "log:{ship}", ttl = "30m")]
    async fn last(&self, ship: &str) -> Result<u32, Unreadable>;
    async fn write(&self, ship: &str) -> Result<(), Unreadable>;
}

fn main() {}
