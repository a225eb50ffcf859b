use super::Cache;
use crate::database::after_commit;

impl Cache {
    /// [`invalidate`](Self::invalidate) once the transaction that is open here is committed, and not at all where it is rolled
    /// back; at once where none is open. It happens although the caller may be gone by then. Where the cache fails, that is
    /// logged: what is committed cannot be taken back.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::{cache::Cache, database::{Db, DbError, SqliteConn}};
    ///
    /// # async fn example(db: &Db<SqliteConn>, cache: Cache) -> Result<(), DbError> {
    /// db.write(async move |c| {
    ///     // .. what is to be changed, by `c`
    ///     # let _ = c;
    ///     cache.invalidate_on_commit(["ships:7"]).await;
    ///     Ok(())
    /// })
    /// .await
    /// # }
    /// ```
    pub async fn invalidate_on_commit<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) {
        let tags: Vec<String> = tags.into_iter().map(|tag| tag.as_ref().to_owned()).collect();
        if tags.is_empty() {
            return;
        }
        let (cache, late) = (self.clone(), tags.clone());
        // Outside an application no transaction can have been noticed.
        if after_commit(async move { cache.invalidate_or_log(&late).await }).await.is_err() {
            self.invalidate_or_log(&tags).await;
        }
    }

    async fn invalidate_or_log(&self, tags: &[String]) {
        if let Err(error) = self.invalidate(tags).await {
            tracing::error!(?tags, %error, "what was cached could not be invalidated, and may be old until its time is over");
        }
    }
}
