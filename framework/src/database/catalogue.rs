use diesel::QueryResult;
use serde::Serialize;

use super::{Connection, Row, Statement, Value};

/// What `db:table` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// The table's name.
    pub name: String,
    /// How many rows it has.
    pub rows: i64,
    /// Its columns, in their order.
    pub columns: Vec<ColumnInfo>,
    /// Its indexes, by name.
    pub indexes: Vec<IndexInfo>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKeyInfo>,
}

/// A column of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type, as the backend writes it.
    pub r#type: String,
    /// Whether it may be `NULL`.
    pub nullable: bool,
    /// The expression that fills it where nothing else does.
    pub default: Option<String>,
    /// Whether it belongs to the primary key.
    pub primary: bool,
}

/// An index of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// Its columns or expressions, in their order.
    pub columns: Vec<String>,
    /// Whether no two rows may be equal in them.
    pub unique: bool,
}

/// A foreign key of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ForeignKeyInfo {
    /// The columns that point.
    pub columns: Vec<String>,
    /// The table they point at.
    pub table: String,
    /// The columns they point at; empty where that is the table's primary key, unnamed.
    pub references: Vec<String>,
    /// What becomes of a row whose target is deleted, such as `CASCADE`.
    pub on_delete: String,
}

/// Asks the backend's catalogue about a table that is there.
pub(super) async fn describe<C: Connection>(c: &mut C, table: &str) -> QueryResult<TableInfo> {
    let ask = |sql| Statement::new(sql).bind(table);
    let count = c.fetch(&Statement::new(format!("select count(*) as n from {}", C::quoted(table)))).await?;
    let rows = count.first().map_or(0, |row| row.integer("n"));
    let columns = c.fetch(&ask(C::COLUMNS)).await?;
    let columns = columns.iter().map(|row| ColumnInfo {
        name: row.text("name").to_owned(),
        r#type: row.text("type").to_owned(),
        nullable: row.integer("is_nullable") != 0,
        default: optional(row, "default_value"),
        primary: row.integer("is_primary") != 0,
    });
    let mut info = TableInfo { name: table.to_owned(), rows, columns: columns.collect(), ..TableInfo::default() };
    for row in c.fetch(&ask(C::INDEXES)).await? {
        let (name, column) = (row.text("name").to_owned(), row.text("column_name").to_owned());
        match info.indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => index.columns.push(column),
            None => {
                let unique = row.integer("is_unique") != 0;
                info.indexes.push(IndexInfo { name, columns: vec![column], unique });
            }
        }
    }
    let mut last = None;
    for row in c.fetch(&ask(C::FOREIGN_KEYS)).await? {
        let name = row.text("name").to_owned();
        if last.as_ref() != Some(&name) {
            info.foreign_keys.push(ForeignKeyInfo {
                table: row.text("target_table").to_owned(),
                on_delete: row.text("on_delete").to_owned(),
                ..ForeignKeyInfo::default()
            });
            last = Some(name);
        }
        if let Some(key) = info.foreign_keys.last_mut() {
            key.columns.push(row.text("column_name").to_owned());
            key.references.extend(optional(&row, "target_column"));
        }
    }
    Ok(info)
}

fn optional(row: &Row, column: &str) -> Option<String> {
    match row.get(column) {
        Value::Null => None,
        other => Some(other.to_string()),
    }
}
