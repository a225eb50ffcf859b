use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::{
    QueryableByName,
    deserialize::{self, FromSql},
    mysql::{Mysql, MysqlType, MysqlValue},
    row::NamedRow,
    sql_types,
};

use crate::database::{Row, Value, raw};

impl QueryableByName<Mysql> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Mysql>) -> deserialize::Result<Self> {
        raw::row(row, |value| read(&value))
    }
}

fn read(value: &MysqlValue<'_>) -> deserialize::Result<Value> {
    let again = || MysqlValue::new(value.as_bytes(), value.value_type());
    Ok(match value.value_type() {
        // diesel-async hands on every whole number with eight bytes.
        MysqlType::Tiny | MysqlType::Short | MysqlType::Long | MysqlType::LongLong => {
            Value::Integer(i64::from_le_bytes(value.as_bytes().try_into()?))
        }
        MysqlType::UnsignedTiny | MysqlType::UnsignedShort | MysqlType::UnsignedLong | MysqlType::UnsignedLongLong => {
            let number = u64::from_le_bytes(value.as_bytes().try_into()?);
            i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
        }
        MysqlType::Float => Value::Real(f32::from_le_bytes(value.as_bytes().try_into()?).into()),
        MysqlType::Double => Value::Real(f64::from_le_bytes(value.as_bytes().try_into()?)),
        MysqlType::Numeric => number(text(value)?),
        MysqlType::Date => Value::Text(<NaiveDate as FromSql<sql_types::Date, Mysql>>::from_sql(again())?.to_string()),
        MysqlType::Time => Value::Text(<NaiveTime as FromSql<sql_types::Time, Mysql>>::from_sql(again())?.to_string()),
        MysqlType::DateTime | MysqlType::Timestamp => {
            let moment = <NaiveDateTime as FromSql<sql_types::Timestamp, Mysql>>::from_sql(again())?;
            // In the form that it has on the other backends.
            Value::Text(moment.format("%F %T%.6f").to_string())
        }
        MysqlType::String | MysqlType::Enum | MysqlType::Set => Value::Text(text(value)?.to_owned()),
        _ => Value::Bytes(value.as_bytes().to_vec()),
    })
}

fn text<'v>(value: &'v MysqlValue<'_>) -> Result<&'v str, std::str::Utf8Error> {
    std::str::from_utf8(value.as_bytes())
}

/// A whole number, such as the sum of a column, where it fits; the exact digits otherwise.
fn number(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Integer)
}
