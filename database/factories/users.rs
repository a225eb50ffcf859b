use std::time::Duration;

use paravel::{
    auth::{HashError, Hasher},
    database::factories::{Factory, Faker},
    fake::faker::name::en::{FirstName, LastName},
    support::Secret,
};

use crate::{
    database::{Conn, schema::users},
    models::{User, UserRow},
};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Users, who were registered within a year and have one password.
#[derive(Debug, Clone)]
pub struct UserFactory {
    password_hash: String,
}

impl UserFactory {
    /// Users with the password of this hash.
    pub fn new(password_hash: impl Into<String>) -> Self {
        Self { password_hash: password_hash.into() }
    }

    /// Users with this password, which is hashed once for all of them.
    ///
    /// # Errors
    /// The hasher's.
    pub async fn with_password(hasher: &dyn Hasher, password: Secret<String>) -> Result<Self, HashError> {
        Ok(Self::new(hasher.make(password).await?))
    }

    /// A state: somebody who has changed something since they registered.
    pub fn edited(row: &mut UserRow, faker: &mut Faker) {
        row.user.updated_at = faker.now();
    }
}

impl Factory for UserFactory {
    const NAME: &'static str = "users";
    type Conn = Conn;
    type Table = users::table;
    type Row = UserRow;

    fn definition(&self, faker: &mut Faker) -> UserRow {
        let (first, last): (&str, &str) = (faker.fake(FirstName()), faker.fake(LastName()));
        let created_at = faker.past(YEAR);
        // A domain that nobody can have (RFC 2606), and a number that nobody else has.
        let email = format!("{first}.{last}.{}@example.com", faker.number());
        let user = User {
            id: faker.id(),
            name: format!("{first} {last}"),
            email: email.replace('\'', "").to_lowercase(),
            created_at,
            updated_at: created_at,
        };
        UserRow { user, password_hash: self.password_hash.clone() }
    }
}
