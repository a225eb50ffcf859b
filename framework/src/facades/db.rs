use std::{future::Future, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    database::{Connection, Db as Database, DbClosure, DbError, Isolation, ReadFrom, ReadKey, Source},
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
    #[track_caller]
    pub fn read<R, E, F>(closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E>,
        R: Send,
        E: From<DbError> + Send,
    {
        let source = Source::caller();
        async move { Self::database()?.read_from(source, ReadFrom::Replica, closure).await }
    }

    /// [`Database::read_primary`].
    ///
    /// # Errors
    /// As [`Database::read_primary`].
    #[track_caller]
    pub fn read_primary<R, E, F>(closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E>,
        R: Send,
        E: From<DbError> + Send,
    {
        let source = Source::caller();
        async move { Self::database()?.read_from(source, ReadFrom::Primary, closure).await }
    }

    /// [`Database::read_cached`].
    ///
    /// # Errors
    /// As [`Database::read_cached`].
    #[track_caller]
    pub fn read_cached<R, F>(key: &ReadKey, closure: F) -> impl Future<Output = Result<Arc<R>, DbError>>
    where
        F: DbClosure<C, R, DbError>,
        R: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let source = Source::caller();
        async move { Self::database()?.read_cached_from(source, key, closure).await }
    }

    /// [`Database::write`].
    ///
    /// # Errors
    /// As [`Database::write`].
    #[track_caller]
    pub fn write<R, E, F>(closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let source = Source::caller();
        async move { Self::database()?.write_from(source, closure).await }
    }

    /// [`Database::transaction`].
    ///
    /// # Errors
    /// As [`Database::transaction`].
    #[track_caller]
    pub fn transaction<R, E, F>(closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let source = Source::caller();
        async move { Self::database()?.transaction_from(source, None, closure).await }
    }

    /// [`Database::transaction_at`].
    ///
    /// # Errors
    /// As [`Database::transaction_at`].
    #[track_caller]
    pub fn transaction_at<R, E, F>(isolation: Isolation, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let source = Source::caller();
        async move { Self::database()?.transaction_from(source, Some(isolation), closure).await }
    }
}
