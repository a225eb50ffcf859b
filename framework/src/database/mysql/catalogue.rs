//! What the catalogue of MySQL and MariaDB is asked about a table.

// MariaDB writes NULL where there is no default.
pub(super) const COLUMNS: &str = "
    select column_name as name, column_type as type, nullif(column_default, 'NULL') as default_value,
        if(is_nullable = 'YES', 1, 0) as is_nullable, if(column_key = 'PRI', 1, 0) as is_primary
    from information_schema.columns
    where table_schema = database() and table_name = ?
    order by ordinal_position";

pub(super) const INDEXES: &str = "
    select index_name as name, coalesce(column_name, '(expression)') as column_name,
        if(non_unique = 0, 1, 0) as is_unique
    from information_schema.statistics
    where table_schema = database() and table_name = ?
    order by index_name, seq_in_index";

pub(super) const FOREIGN_KEYS: &str = "
    select k.constraint_name as name, k.column_name as column_name, k.referenced_table_name as target_table,
        k.referenced_column_name as target_column, r.delete_rule as on_delete
    from information_schema.key_column_usage k
    join information_schema.referential_constraints r on r.constraint_schema = k.constraint_schema
        and r.constraint_name = k.constraint_name and r.table_name = k.table_name
    where k.table_schema = database() and k.table_name = ?
    order by k.constraint_name, k.ordinal_position";
