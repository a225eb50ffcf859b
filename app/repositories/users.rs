use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    Inject,
    auth::TokenHash,
    database::{DbError, Page, with_many},
    service,
};

use super::{ListRequest, UserSort, containing, lower, tokens::revoke_all};
use crate::{
    database::{
        Backend, Conn, Database, IdSql,
        schema::{roles, user_roles, users},
    },
    models::{Role, User, UserEdit, UserId, UserWithRoles},
};

/// The users' queries.
#[service]
pub trait UserRepository {
    /// The user of this key, with their roles.
    async fn find(&self, id: UserId) -> Result<Option<UserWithRoles>, DbError>;

    /// The user of this e-mail address, in lower case.
    async fn find_by_email(&self, email: &str) -> Result<Option<User>, DbError>;

    /// One page of users with their roles: three queries, however many users.
    async fn page(&self, request: ListRequest<'_, UserSort>) -> Result<Page<UserWithRoles>, DbError>;

    /// Adds a user with these roles; those that do not exist are left out.
    async fn create(&self, user: User, roles: Vec<String>) -> Result<(), DbError>;

    /// Changes a user; whether there is one. A new password revokes their tokens, but for the one with the hash `keep`.
    async fn update(&self, id: UserId, edit: UserEdit, keep: Option<TokenHash>) -> Result<bool, DbError>;

    /// Deletes a user; whether there was one.
    async fn delete(&self, id: UserId) -> Result<bool, DbError>;

    /// Replaces a user's roles by those of these names; whether there are such a user and all such roles. Nothing is
    /// changed where not.
    async fn set_roles(&self, id: UserId, names: Vec<String>) -> Result<bool, DbError>;
}

/// [`UserRepository`] on the application's database.
#[derive(Inject)]
#[inject(as = dyn UserRepository)]
pub struct DieselUsers {
    db: Arc<Database>,
}

paravel::repository! {
    /// The rows of `users`.
    struct UserRows for Conn {
        table: users,
        key: id: UserId,
        row: User,
        insert: User,
        change: UserEdit,
    }
}

type Filtered = users::BoxedQuery<'static, Backend>;

fn filtered(search: &str) -> Filtered {
    let query = UserRows::all();
    if search.is_empty() {
        return query;
    }
    let pattern = || lower(containing(search));
    let by_name = lower(users::name).like(pattern()).escape('\\');
    query.filter(by_name.or(lower(users::email).like(pattern()).escape('\\')))
}

fn sorted(query: Filtered, sort: UserSort) -> Filtered {
    // The key last, so that rows which are equal otherwise have one order on every page.
    match sort {
        UserSort::Name => query.order((users::name.asc(), users::id.asc())),
        UserSort::NameDescending => query.order((users::name.desc(), users::id.desc())),
        UserSort::Email => query.order(users::email.asc()),
        UserSort::EmailDescending => query.order(users::email.desc()),
        UserSort::CreatedAt => query.order((users::created_at.asc(), users::id.asc())),
        UserSort::CreatedAtDescending => query.order((users::created_at.desc(), users::id.desc())),
    }
}

/// The users with their roles, which one query fetches for all of them.
async fn with_roles(c: &mut Conn, users: Vec<User>) -> Result<Vec<UserWithRoles>, DbError> {
    let roles_of = |users| {
        let query = user_roles::table.inner_join(roles::table).filter(user_roles::user_id.eq_any(users));
        query.order(roles::name).select((user_roles::user_id, Role::as_select()))
    };
    let users = with_many(c, users, |user| user.id, roles_of).await?;
    Ok(users.into_iter().map(|(user, roles)| UserWithRoles { user, roles }).collect())
}

/// Gives a user the roles of these names; how many there were.
async fn add_roles(c: &mut Conn, user: UserId, names: &[String]) -> Result<usize, DbError> {
    let rows = roles::table.filter(roles::name.eq_any(names)).select((user.into_sql::<IdSql>(), roles::id));
    let insert = rows.insert_into(user_roles::table).into_columns((user_roles::user_id, user_roles::role_id));
    Ok(insert.execute(c).await?)
}

#[service]
impl UserRepository for DieselUsers {
    async fn find(&self, id: UserId) -> Result<Option<UserWithRoles>, DbError> {
        self.db
            .read(async |c| {
                let user = UserRows::find(c, id).await?;
                Ok(with_roles(c, user.into_iter().collect()).await?.pop())
            })
            .await
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<User>, DbError> {
        self.db
            .read(async |c| {
                let user = users::table.filter(users::email.eq(email)).select(User::as_select());
                Ok(user.first(c).await.optional()?)
            })
            .await
    }

    async fn page(&self, request: ListRequest<'_, UserSort>) -> Result<Page<UserWithRoles>, DbError> {
        self.db
            .read(async |c| {
                let rows = || filtered(request.search);
                let page = UserRows::paginate_where(c, request.page, rows, |rows| sorted(rows, request.sort)).await?;
                Ok(Page::new(with_roles(c, page.items).await?, request.page, page.total))
            })
            .await
    }

    async fn create(&self, user: User, roles: Vec<String>) -> Result<(), DbError> {
        self.db
            .write(async move |c| {
                let id = user.id;
                UserRows::create(c, user).await?;
                add_roles(c, id, &roles).await?;
                Ok(())
            })
            .await
    }

    async fn update(&self, id: UserId, edit: UserEdit, keep: Option<TokenHash>) -> Result<bool, DbError> {
        self.db
            .write(async move |c| {
                // In one transaction: an old login must not outlive the password it was made with.
                if edit.password_hash.is_some() {
                    revoke_all(c, id, keep, edit.updated_at).await?;
                }
                UserRows::update(c, id, edit).await
            })
            .await
    }

    async fn delete(&self, id: UserId) -> Result<bool, DbError> {
        self.db.write(async move |c| UserRows::delete(c, id).await).await
    }

    async fn set_roles(&self, id: UserId, names: Vec<String>) -> Result<bool, DbError> {
        let done = self.db.write(async move |c| {
            let exists = UserRows::exists(c, id).await?;
            diesel::delete(user_roles::table.filter(user_roles::user_id.eq(id))).execute(c).await?;
            if !exists || add_roles(c, id, &names).await? != names.len() {
                return Err(DbError::from(diesel::result::Error::RollbackTransaction));
            }
            Ok(())
        });
        match done.await {
            Ok(()) => Ok(true),
            Err(DbError::Query(diesel::result::Error::RollbackTransaction)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
