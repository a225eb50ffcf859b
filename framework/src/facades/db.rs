use std::{marker::PhantomData, sync::Arc};

use crate::{
    database::{AsyncFunc, Connection, Db as Database, DbError},
    service::facade,
};

/// The database. An application names its connection type once, as `pub type Db = paravel::facades::Db<Conn>`.
#[derive(Debug, Clone, Copy)]
pub struct Db<C>(PhantomData<fn() -> C>);

impl<C: Connection> Db<C> {
    fn database() -> Result<Arc<Database<C>>, DbError> {
        Ok(facade::<Database<C>>()?)
    }

    /// [`Database::read`].
    ///
    /// # Errors
    /// As [`Database::read`].
    pub async fn read<R, E, F>(closure: F) -> Result<R, E>
    where
        F: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, E>
            + for<'c> AsyncFunc<&'c mut C, Result<R, E>, Future: Send>
            + Send,
        R: Send,
        E: From<DbError> + Send,
    {
        Self::database()?.read(closure).await
    }

    /// [`Database::write`].
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn write<R, E, F>(closure: F) -> Result<R, E>
    where
        F: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, E>
            + for<'c> AsyncFunc<&'c mut C, Result<R, E>, Future: Send>
            + Send
            + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        Self::database()?.write(closure).await
    }

    /// [`Database::transaction`].
    ///
    /// # Errors
    /// As [`Database::transaction`].
    pub async fn transaction<R, E, F>(closure: F) -> Result<R, E>
    where
        F: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, E>
            + for<'c> AsyncFunc<&'c mut C, Result<R, E>, Future: Send>
            + Clone
            + Send
            + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        Self::database()?.transaction(closure).await
    }
}
