use std::{collections::BTreeMap, fmt};

use diesel::{
    backend::Backend,
    deserialize,
    query_builder::{BoxedSqlQuery, SqlQuery},
    row::{Field, NamedRow},
    serialize::ToSql,
    sql_types::{BigInt, Binary, Double, Text},
};
use serde::Serialize;

/// A value bound to a raw statement, or read from a raw row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// `NULL`.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

/// Raw SQL with its bound values. Placeholders are `?`.
///
/// ```
/// use paravel::database::Statement;
///
/// let statement = Statement::new("select count(*) as n from users where email = ?").bind("ada@example.com");
/// assert_eq!(statement.values().len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// A statement without values.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// Binds the next placeholder.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The values, in the order of their placeholders.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// A raw row: its values by column.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Row(BTreeMap<String, Value>);

impl Row {
    /// The value of a column; `Null` where there is no such column.
    pub fn get(&self, column: &str) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }

    /// The value of a column, which goes out of the row; `Null` where there is no such column.
    pub fn take(&mut self, column: &str) -> Value {
        self.0.get_mut(column).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }

    /// The columns' names and values, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The column as text; empty where it is not.
    pub fn text(&self, column: &str) -> &str {
        match self.get(column) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// The column as a whole number; 0 where it is not.
    pub fn integer(&self, column: &str) -> i64 {
        match self.get(column) {
            Value::Integer(number) => *number,
            _ => 0,
        }
    }
}

/// A raw statement with its values bound.
pub(super) type Bound<DB> = BoxedSqlQuery<'static, DB, SqlQuery>;

/// Binds values to the placeholders of `sql`, which are the backend's own. What a NULL is bound as is its affair, too.
pub(super) fn bound<DB>(sql: &str, values: &[Value], null: fn(Bound<DB>) -> Bound<DB>) -> Bound<DB>
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
    f64: ToSql<Double, DB>,
    String: ToSql<Text, DB>,
    Vec<u8>: ToSql<Binary, DB>,
{
    values.iter().fold(diesel::sql_query(sql).into_boxed::<DB>(), |query, value| match value.clone() {
        Value::Null => null(query),
        Value::Integer(number) => query.bind::<BigInt, _>(number),
        Value::Real(number) => query.bind::<Double, _>(number),
        Value::Text(text) => query.bind::<Text, _>(text),
        Value::Bytes(bytes) => query.bind::<Binary, _>(bytes),
    })
}

/// Makes a raw row of diesel's; `read` makes a value of what is not NULL.
pub(super) fn row<'a, DB: Backend>(
    row: &impl NamedRow<'a, DB>,
    read: impl Fn(DB::RawValue<'_>) -> deserialize::Result<Value>,
) -> deserialize::Result<Row> {
    let fields = (0..row.field_count()).filter_map(|index| diesel::row::Row::get(row, index));
    let columns = fields.map(|field| {
        let name = field.field_name().unwrap_or_default().to_owned();
        let value = match field.value() {
            None => Value::Null,
            Some(value) => read(value).map_err(|error| format!("the column `{name}`: {error}"))?,
        };
        Ok((name, value))
    });
    columns.collect()
}

impl FromIterator<(String, Value)> for Row {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(columns: I) -> Self {
        Self(columns.into_iter().collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}
