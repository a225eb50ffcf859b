//! How the toolkit's own types are stored: an [`Id`] as 16 bytes, a [`Timestamp`] as a UTC timestamp.

#[cfg(feature = "sqlite")]
mod sqlite {
    use chrono::NaiveDateTime;
    use diesel::{
        backend::Backend,
        deserialize::{self, FromSql},
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Binary, Timestamp as SqlTimestamp},
        sqlite::Sqlite,
    };
    use uuid::Uuid;

    use crate::support::{Id, Timestamp};

    impl<T> ToSql<Binary, Sqlite> for Id<T> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.uuid().as_bytes().to_vec());
            Ok(IsNull::No)
        }
    }

    impl<T> FromSql<Binary, Sqlite> for Id<T> {
        fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(Self::from_uuid(Uuid::from_slice(bytes.read_blob())?))
        }
    }

    impl ToSql<SqlTimestamp, Sqlite> for Timestamp {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            // diesel's own form, with a fixed number of digits so that the text sorts as the time does.
            out.set_value(self.utc().format("%F %T%.6f").to_string());
            Ok(IsNull::No)
        }
    }

    impl FromSql<SqlTimestamp, Sqlite> for Timestamp {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let naive = <NaiveDateTime as FromSql<SqlTimestamp, Sqlite>>::from_sql(value)?;
            Ok(naive.and_utc().into())
        }
    }
}
