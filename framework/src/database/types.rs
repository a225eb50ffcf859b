//! How the toolkit's own types are stored: an [`Id`] as a `uuid` or 16 bytes, a [`Timestamp`] as a UTC timestamp.

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

    use crate::{
        database::sqlite::moments,
        support::{Id, Timestamp},
    };

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
            out.set_value(moments::to_text(self.utc()));
            Ok(IsNull::No)
        }
    }

    impl FromSql<SqlTimestamp, Sqlite> for Timestamp {
        fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let naive = match moments::from_text(value.read_text()) {
                Some(naive) => naive,
                // Somebody else wrote it, in one of the other forms that SQLite's own functions know.
                None => <NaiveDateTime as FromSql<SqlTimestamp, Sqlite>>::from_sql(value)?,
            };
            Ok(naive.and_utc().into())
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use chrono::NaiveDateTime;
    use diesel::{
        deserialize::{self, FromSql},
        pg::{Pg, PgValue},
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Timestamp as SqlTimestamp, Uuid as SqlUuid},
    };
    use uuid::Uuid;

    use crate::support::{Id, Timestamp};

    impl<T> ToSql<SqlUuid, Pg> for Id<T> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.uuid().as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl<T> FromSql<SqlUuid, Pg> for Id<T> {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
        }
    }

    impl ToSql<SqlTimestamp, Pg> for Timestamp {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            let naive = self.utc().naive_utc();
            ToSql::<SqlTimestamp, Pg>::to_sql(&naive, &mut out.reborrow())
        }
    }

    impl FromSql<SqlTimestamp, Pg> for Timestamp {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let naive = <NaiveDateTime as FromSql<SqlTimestamp, Pg>>::from_sql(value)?;
            Ok(naive.and_utc().into())
        }
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::io::Write;

    use chrono::NaiveDateTime;
    use diesel::{
        deserialize::{self, FromSql},
        mysql::{Mysql, MysqlValue},
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Binary, Timestamp as SqlTimestamp},
    };
    use uuid::Uuid;

    use crate::support::{Id, Timestamp};

    impl<T> ToSql<Binary, Mysql> for Id<T> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            out.write_all(self.uuid().as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl<T> FromSql<Binary, Mysql> for Id<T> {
        fn from_sql(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
        }
    }

    impl ToSql<SqlTimestamp, Mysql> for Timestamp {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            let naive = self.utc().naive_utc();
            ToSql::<SqlTimestamp, Mysql>::to_sql(&naive, &mut out.reborrow())
        }
    }

    impl FromSql<SqlTimestamp, Mysql> for Timestamp {
        fn from_sql(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            let naive = <NaiveDateTime as FromSql<SqlTimestamp, Mysql>>::from_sql(value)?;
            Ok(naive.and_utc().into())
        }
    }
}
