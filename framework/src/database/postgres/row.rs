use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::{
    QueryableByName,
    data_types::PgNumeric,
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    row::NamedRow,
    sql_types,
};
use uuid::Uuid;

use crate::database::{Row, Value, raw};

impl QueryableByName<Pg> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        raw::row(row, read)
    }
}

/// A value of the types that applications use; their numbers are fixed in PostgreSQL's `pg_type.dat`.
fn read(value: PgValue<'_>) -> deserialize::Result<Value> {
    Ok(match value.get_oid().get() {
        16 => Value::Integer(<bool as FromSql<sql_types::Bool, Pg>>::from_sql(value)?.into()),
        21 => Value::Integer(<i16 as FromSql<sql_types::SmallInt, Pg>>::from_sql(value)?.into()),
        23 => Value::Integer(<i32 as FromSql<sql_types::Integer, Pg>>::from_sql(value)?.into()),
        20 => Value::Integer(<i64 as FromSql<sql_types::BigInt, Pg>>::from_sql(value)?),
        26 => Value::Integer(<u32 as FromSql<sql_types::Oid, Pg>>::from_sql(value)?.into()),
        700 => Value::Real(<f32 as FromSql<sql_types::Float, Pg>>::from_sql(value)?.into()),
        701 => Value::Real(<f64 as FromSql<sql_types::Double, Pg>>::from_sql(value)?),
        1700 => number(&PgNumeric::from_sql(value)?),
        17 => Value::Bytes(value.as_bytes().to_vec()),
        // char, name, text, json, unknown, bpchar, varchar
        18 | 19 | 25 | 114 | 705 | 1042 | 1043 => Value::Text(text(value.as_bytes())?),
        // jsonb begins with its version.
        3802 => Value::Text(text(value.as_bytes().get(1..).unwrap_or_default())?),
        2950 => Value::Text(Uuid::from_slice(value.as_bytes())?.to_string()),
        1082 => Value::Text(<NaiveDate as FromSql<sql_types::Date, Pg>>::from_sql(value)?.to_string()),
        1083 => Value::Text(<NaiveTime as FromSql<sql_types::Time, Pg>>::from_sql(value)?.to_string()),
        1114 => moment(<NaiveDateTime as FromSql<sql_types::Timestamp, Pg>>::from_sql(value)?),
        1184 => moment(<NaiveDateTime as FromSql<sql_types::Timestamptz, Pg>>::from_sql(value)?),
        2278 => Value::Null,
        oid => return Err(format!("raw rows do not have PostgreSQL's type {oid}: cast it to text").into()),
    })
}

fn text(bytes: &[u8]) -> Result<String, std::str::Utf8Error> {
    std::str::from_utf8(bytes).map(str::to_owned)
}

/// UTC, in the form that it has on the other backends.
fn moment(moment: NaiveDateTime) -> Value {
    Value::Text(moment.format("%F %T%.6f").to_string())
}

/// A whole number, such as the sum of a column, where it fits; the exact digits otherwise.
fn number(numeric: &PgNumeric) -> Value {
    let (sign, weight, scale, digits) = match numeric {
        PgNumeric::Positive { weight, scale, digits } => ("", *weight, *scale, digits),
        PgNumeric::Negative { weight, scale, digits } => ("-", *weight, *scale, digits),
        PgNumeric::NaN => return Value::Text("NaN".to_owned()),
    };
    // Four decimal digits each; those that are zero at either end are left out.
    let digit = |place: i16| {
        let index = usize::try_from(i32::from(weight) - i32::from(place));
        index.ok().and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let whole: String = (0..=weight.max(0)).rev().map(|place| format!("{:04}", digit(place))).collect();
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if scale == 0 {
        let text = format!("{sign}{whole}");
        return text.parse().map_or(Value::Text(text), Value::Integer);
    }
    let places = i16::try_from(scale.div_ceil(4)).unwrap_or(i16::MAX);
    let mut fraction: String = (1..=places).map(|place| format!("{:04}", digit(-place))).collect();
    fraction.truncate(scale.into());
    Value::Text(format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use diesel::data_types::PgNumeric;

    use super::{Value, number};

    #[test]
    fn a_numeric_is_a_whole_number_or_its_exact_digits() {
        let positive = |weight, scale, digits: &[i16]| PgNumeric::Positive { weight, scale, digits: digits.to_vec() };
        assert_eq!(number(&positive(0, 0, &[])), Value::Integer(0));
        assert_eq!(number(&positive(1, 0, &[12, 345])), Value::Integer(120_345));
        assert_eq!(number(&positive(2, 0, &[1])), Value::Integer(100_000_000));
        assert_eq!(number(&positive(0, 2, &[1, 500])), Value::Text("1.05".to_owned()));
        assert_eq!(number(&positive(-2, 8, &[12])), Value::Text("0.00000012".to_owned()));
        let huge = positive(5, 0, &[1]);
        assert_eq!(number(&huge), Value::Text("100000000000000000000".to_owned()));
        let negative = PgNumeric::Negative { weight: 0, scale: 0, digits: vec![7] };
        assert_eq!(number(&negative), Value::Integer(-7));
    }
}
