use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    Inject,
    auth::TokenHash,
    cache::Cache,
    database::{DbError, Page, with_many},
    events::EventBus,
    service,
    support::Timestamp,
};

use super::{
    ListRequest, Undone, UserSort, announce::announce, containing, lower, managers, stale, tokens::revoke_all,
};
use crate::{
    database::{
        Backend, Conn, Database, IdSql,
        schema::{roles, user_roles, users},
    },
    events::{RoleAssigned, UserDeleted, UserField, UserRegistered, UserUpdated},
    models::{Email, Role, User, UserEdit, UserId, UserRow, UserWithRoles},
};

/// The users' queries.
#[service]
pub trait UserRepository {
    /// The user of this key, with their roles.
    async fn find(&self, id: UserId) -> Result<Option<UserWithRoles>, DbError>;

    /// The user of this e-mail address.
    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, DbError>;

    /// The users of these keys, with their roles; those that are missing are left out.
    async fn many(&self, ids: &[UserId]) -> Result<Vec<UserWithRoles>, DbError>;

    /// The keys and e-mail addresses of so many users in the order of their keys, from after this one.
    async fn after(&self, id: Option<UserId>, limit: u32) -> Result<Vec<(UserId, Email)>, DbError>;

    /// One page of users with their roles: three queries, however many users.
    async fn page(&self, request: ListRequest<'_, UserSort>) -> Result<Page<UserWithRoles>, DbError>;

    /// Adds a user with these roles, which it returns, where there are all of them, and says so by [`UserRegistered`]: whom `by`, too.
    async fn create(&self, row: UserRow, roles: Vec<String>, by: Option<UserId>) -> Result<Vec<Role>, Undone>;

    /// Changes a user and says so by [`UserUpdated`]. A new password revokes their tokens, but for the one with the hash `keep`.
    async fn update(&self, id: UserId, edit: UserEdit, keep: Option<TokenHash>) -> Result<(), Undone>;

    /// Deletes a user and says so by [`UserDeleted`], but for the last who manages users and roles.
    async fn delete(&self, id: UserId) -> Result<(), Undone>;

    /// Replaces a user's roles by those of these names and says so by [`RoleAssigned`], where there are all of them; but for
    /// the last who manages users and roles.
    async fn set_roles(&self, id: UserId, names: Vec<String>, now: Timestamp) -> Result<(), Undone>;
}

/// [`UserRepository`] on the application's database.
#[derive(Inject)]
#[inject(as = dyn UserRepository)]
pub struct DieselUsers {
    db: Arc<Database>,
    events: Arc<EventBus>,
    cache: Arc<Cache>,
}

paravel::repository! {
    /// The rows of `users`.
    struct UserRows for Conn {
        table: users,
        key: id: UserId,
        row: User,
        insert: UserRow,
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

/// Keeps others from changing a user until the transaction ends, on a server too. Before the first SELECT, because what that
/// sees may count for the whole transaction; and before the managers' lock, since all take the two in one order.
async fn lock(c: &mut Conn, id: UserId) -> Result<(), DbError> {
    diesel::update(users::table.find(id)).set(users::updated_at.eq(users::updated_at)).execute(c).await?;
    Ok(())
}

/// The e-mail address of a user who is locked.
async fn email_of(c: &mut Conn, id: UserId) -> Result<Email, Undone> {
    let email: Option<String> = users::table.find(id).select(users::email).first(c).await.optional()?;
    email.as_deref().map(Email::new).ok_or(Undone::NotFound)
}

/// Gives a user the roles of these names, where there are all of them.
async fn add_roles(c: &mut Conn, user: UserId, names: &[String]) -> Result<(), Undone> {
    let rows = roles::table.filter(roles::name.eq_any(names)).select((user.into_sql::<IdSql>(), roles::id));
    let insert = rows.insert_into(user_roles::table).into_columns((user_roles::user_id, user_roles::role_id));
    if insert.execute(c).await? == names.len() { Ok(()) } else { Err(Undone::UnknownName) }
}

/// What a change gives anew.
fn fields(edit: &UserEdit) -> Vec<UserField> {
    let given = [
        (UserField::Name, edit.name.is_some()),
        (UserField::Email, edit.email.is_some()),
        (UserField::Password, edit.password_hash.is_some()),
    ];
    given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field).collect()
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

    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, DbError> {
        self.db
            .read(async |c| {
                let user = users::table.filter(users::email.eq(email.as_str())).select(User::as_select());
                Ok(user.first(c).await.optional()?)
            })
            .await
    }

    async fn many(&self, ids: &[UserId]) -> Result<Vec<UserWithRoles>, DbError> {
        self.db
            .read(async |c| {
                let users = UserRows::find_many(c, ids).await?;
                with_roles(c, users).await
            })
            .await
    }

    async fn after(&self, id: Option<UserId>, limit: u32) -> Result<Vec<(UserId, Email)>, DbError> {
        self.db
            .read(async |c| {
                let mut rows = users::table.select((users::id, users::email)).into_boxed();
                if let Some(id) = id {
                    rows = rows.filter(users::id.gt(id));
                }
                let rows: Vec<(UserId, String)> = rows.order(users::id).limit(limit.into()).load(c).await?;
                Ok(rows.into_iter().map(|(id, email)| (id, Email::new(&email))).collect())
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

    async fn create(&self, row: UserRow, names: Vec<String>, by: Option<UserId>) -> Result<Vec<Role>, Undone> {
        let events = Arc::clone(&self.events);
        self.db
            .write(async move |c| {
                let (id, name) = (row.user.id, row.user.name.clone());
                UserRows::create(c, row).await?;
                add_roles(c, id, &names).await?;
                let given = roles::table.filter(roles::name.eq_any(names)).order(roles::name);
                let given = given.select(Role::as_select()).load(c).await?;
                announce(&events, id, UserRegistered { user: id, name, by }).await;
                Ok(given)
            })
            .await
    }

    async fn update(&self, id: UserId, edit: UserEdit, keep: Option<TokenHash>) -> Result<(), Undone> {
        let (cache, events) = (Arc::clone(&self.cache), Arc::clone(&self.events));
        self.db
            .write(async move |c| {
                let fields = fields(&edit);
                let (new_password, now) = (edit.password_hash.is_some(), edit.updated_at);
                lock(c, id).await?;
                stale::by_email(&cache, &email_of(c, id).await?).await;
                UserRows::update(c, id, edit).await?;
                // In one transaction: an old login must not outlive the password it was made with. With the user locked, the
                // tokens of logins that came before are all there.
                if new_password {
                    let revoked = revoke_all(c, id, keep, now).await?;
                    stale::owners(&cache, &revoked).await;
                }
                announce(&events, id, UserUpdated { user: id, fields }).await;
                Ok(())
            })
            .await
    }

    async fn delete(&self, id: UserId) -> Result<(), Undone> {
        let (cache, events) = (Arc::clone(&self.cache), Arc::clone(&self.events));
        self.db
            .write(async move |c| {
                lock(c, id).await?;
                let managed = managers::are_there(c).await?;
                stale::by_email(&cache, &email_of(c, id).await?).await;
                UserRows::delete(c, id).await?;
                announce(&events, id, UserDeleted { user: id }).await;
                managers::still_there(c, managed).await
            })
            .await
    }

    async fn set_roles(&self, id: UserId, names: Vec<String>, now: Timestamp) -> Result<(), Undone> {
        let (cache, events) = (Arc::clone(&self.cache), Arc::clone(&self.events));
        self.db
            .write(async move |c| {
                lock(c, id).await?;
                let managed = managers::are_there(c).await?;
                stale::by_email(&cache, &email_of(c, id).await?).await;
                diesel::update(users::table.find(id)).set(users::updated_at.eq(now)).execute(c).await?;
                diesel::delete(user_roles::table.filter(user_roles::user_id.eq(id))).execute(c).await?;
                add_roles(c, id, &names).await?;
                announce(&events, id, RoleAssigned { user: id, roles: names }).await;
                managers::still_there(c, managed).await
            })
            .await
    }
}
