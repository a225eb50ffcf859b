use diesel::Insertable;
use paravel::{
    database::factories::{BelongsTo, Factory, Faker},
    fake::faker::{company::en::CatchPhrase, job::en::Title},
};

use crate::{
    database::{
        Conn,
        schema::{roles, user_roles},
    },
    models::{Role, RoleId, UserId, UserRow},
};

/// Roles that give no permission.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoleFactory;

impl Factory for RoleFactory {
    const NAME: &'static str = "roles";
    type Conn = Conn;
    type Table = roles::table;
    type Row = Role;

    fn definition(&self, faker: &mut Faker) -> Role {
        let title: String = faker.fake(Title());
        Role {
            id: faker.id(),
            name: format!("{} {}", title.to_lowercase(), faker.serial()),
            description: Some(faker.fake(CatchPhrase())),
            created_at: faker.now(),
            updated_at: faker.now(),
        }
    }
}

/// That a user has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Insertable)]
#[diesel(table_name = user_roles)]
pub struct UserRole {
    /// The user.
    pub user_id: UserId,
    /// The role.
    pub role_id: RoleId,
}

/// Gives users roles: `users.has(UserRoleFactory.for_(&role))`, or one of several by `UserRoleFactory.recycle(&roles)`. A
/// user has a role only once.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserRoleFactory;

impl Factory for UserRoleFactory {
    const NAME: &'static str = "user_roles";
    type Conn = Conn;
    type Table = user_roles::table;
    type Row = UserRole;

    fn definition(&self, faker: &mut Faker) -> UserRole {
        // Of nobody yet: the keys come from what the row belongs to.
        UserRole { user_id: faker.id(), role_id: faker.id() }
    }
}

impl BelongsTo<UserRow> for UserRoleFactory {
    fn belongs_to(row: &mut UserRole, user: &UserRow) {
        row.user_id = user.user.id;
    }
}

impl BelongsTo<Role> for UserRoleFactory {
    fn belongs_to(row: &mut UserRole, role: &Role) {
        row.role_id = role.id;
    }
}
