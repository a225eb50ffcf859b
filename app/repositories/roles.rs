use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    Inject,
    database::{DbError, Page, with_many},
    service,
};

use super::{ListRequest, RoleSort, Undone, containing, lower, managers};
use crate::{
    database::{
        Backend, Conn, Database, IdSql,
        schema::{permissions, role_permissions, roles},
    },
    models::{PermissionId, Role, RoleEdit, RoleId, RoleWithPermissions},
};

/// The roles' queries.
#[service]
pub trait RoleRepository {
    /// The role of this key, with its permissions.
    async fn find(&self, id: RoleId) -> Result<Option<RoleWithPermissions>, DbError>;

    /// The roles of these names, with their permissions; those that do not exist are left out.
    async fn named(&self, names: &[String]) -> Result<Vec<RoleWithPermissions>, DbError>;

    /// The roles of these keys, with their permissions; those that are missing are left out.
    async fn many(&self, ids: &[RoleId]) -> Result<Vec<RoleWithPermissions>, DbError>;

    /// Every role's name.
    async fn names(&self) -> Result<Vec<String>, DbError>;

    /// One page of roles with their permissions: three queries, however many roles.
    async fn page(&self, request: ListRequest<'_, RoleSort>) -> Result<Page<RoleWithPermissions>, DbError>;

    /// Adds a role with these permissions, where there are all of those.
    async fn create(&self, role: Role, permissions: Vec<String>) -> Result<(), Undone>;

    /// Changes a role and, where given, its permissions, where there are all of those; but for the role by which the last
    /// manages users and roles.
    async fn update(&self, id: RoleId, edit: RoleEdit, permissions: Option<Vec<String>>) -> Result<(), Undone>;

    /// Deletes a role, but for the one by which the last manages users and roles.
    async fn delete(&self, id: RoleId) -> Result<(), Undone>;

    /// Adds those of these permissions that are not there yet.
    async fn add_permissions(&self, names: Vec<String>) -> Result<(), DbError>;
}

/// [`RoleRepository`] on the application's database.
#[derive(Inject)]
#[inject(as = dyn RoleRepository)]
pub struct DieselRoles {
    db: Arc<Database>,
}

paravel::repository! {
    /// The rows of `roles`.
    struct RoleRows for Conn {
        table: roles,
        key: id: RoleId,
        row: Role,
        insert: Role,
        change: RoleEdit,
    }
}

type Filtered = roles::BoxedQuery<'static, Backend>;

fn filtered(search: &str) -> Filtered {
    let query = RoleRows::all();
    if search.is_empty() {
        return query;
    }
    query.filter(lower(roles::name).like(lower(containing(search))).escape('\\'))
}

fn sorted(query: Filtered, sort: RoleSort) -> Filtered {
    match sort {
        RoleSort::Name => query.order(roles::name.asc()),
        RoleSort::NameDescending => query.order(roles::name.desc()),
        RoleSort::CreatedAt => query.order((roles::created_at.asc(), roles::id.asc())),
        RoleSort::CreatedAtDescending => query.order((roles::created_at.desc(), roles::id.desc())),
    }
}

/// The roles with their permissions, which one query fetches for all of them.
async fn with_permissions(c: &mut Conn, roles: Vec<Role>) -> Result<Vec<RoleWithPermissions>, DbError> {
    let permissions_of = |roles| {
        let query = role_permissions::table.inner_join(permissions::table);
        let query = query.filter(role_permissions::role_id.eq_any(roles)).order(permissions::name);
        query.select((role_permissions::role_id, permissions::name))
    };
    let roles = with_many(c, roles, |role| role.id, permissions_of).await?;
    Ok(roles.into_iter().map(|(role, permissions)| RoleWithPermissions { role, permissions }).collect())
}

/// Gives a role the permissions of these names, where there are all of them.
async fn give(c: &mut Conn, role: RoleId, names: &[String]) -> Result<(), Undone> {
    let rows =
        permissions::table.filter(permissions::name.eq_any(names)).select((role.into_sql::<IdSql>(), permissions::id));
    let insert = rows
        .insert_into(role_permissions::table)
        .into_columns((role_permissions::role_id, role_permissions::permission_id));
    if insert.execute(c).await? == names.len() { Ok(()) } else { Err(Undone::UnknownName) }
}

#[service]
impl RoleRepository for DieselRoles {
    async fn find(&self, id: RoleId) -> Result<Option<RoleWithPermissions>, DbError> {
        self.db
            .read(async |c| {
                let role = RoleRows::find(c, id).await?;
                Ok(with_permissions(c, role.into_iter().collect()).await?.pop())
            })
            .await
    }

    async fn named(&self, names: &[String]) -> Result<Vec<RoleWithPermissions>, DbError> {
        self.db
            .read(async |c| {
                let rows = roles::table.filter(roles::name.eq_any(names)).select(Role::as_select()).load(c).await?;
                with_permissions(c, rows).await
            })
            .await
    }

    async fn many(&self, ids: &[RoleId]) -> Result<Vec<RoleWithPermissions>, DbError> {
        self.db
            .read(async |c| {
                let roles = RoleRows::find_many(c, ids).await?;
                with_permissions(c, roles).await
            })
            .await
    }

    async fn names(&self) -> Result<Vec<String>, DbError> {
        self.db.read(async |c| Ok(roles::table.select(roles::name).order(roles::name).load(c).await?)).await
    }

    async fn page(&self, request: ListRequest<'_, RoleSort>) -> Result<Page<RoleWithPermissions>, DbError> {
        self.db
            .read(async |c| {
                let rows = || filtered(request.search);
                let page = RoleRows::paginate_where(c, request.page, rows, |rows| sorted(rows, request.sort)).await?;
                Ok(Page::new(with_permissions(c, page.items).await?, request.page, page.total))
            })
            .await
    }

    async fn create(&self, role: Role, permissions: Vec<String>) -> Result<(), Undone> {
        self.db
            .write(async move |c| {
                let id = role.id;
                RoleRows::create(c, role).await?;
                give(c, id, &permissions).await
            })
            .await
    }

    async fn update(&self, id: RoleId, edit: RoleEdit, permissions: Option<Vec<String>>) -> Result<(), Undone> {
        self.db
            .write(async move |c| {
                let managed = permissions.is_some() && managers::are_there(c).await?;
                if !RoleRows::update(c, id, edit).await? {
                    return Err(Undone::NotFound);
                }
                if let Some(permissions) = permissions {
                    let old = role_permissions::table.filter(role_permissions::role_id.eq(id));
                    diesel::delete(old).execute(c).await?;
                    give(c, id, &permissions).await?;
                }
                managers::still_there(c, managed).await
            })
            .await
    }

    async fn delete(&self, id: RoleId) -> Result<(), Undone> {
        self.db
            .write(async move |c| {
                let managed = managers::are_there(c).await?;
                if !RoleRows::delete(c, id).await? {
                    return Err(Undone::NotFound);
                }
                managers::still_there(c, managed).await
            })
            .await
    }

    async fn add_permissions(&self, names: Vec<String>) -> Result<(), DbError> {
        self.db
            .write(async move |c| {
                let known: Vec<String> = permissions::table.select(permissions::name).load(c).await?;
                for name in names.into_iter().filter(|name| !known.contains(name)) {
                    let row = (permissions::id.eq(PermissionId::new()), permissions::name.eq(name));
                    diesel::insert_into(permissions::table).values(row).execute(c).await?;
                }
                Ok(())
            })
            .await
    }
}
