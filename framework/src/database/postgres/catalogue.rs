//! What PostgreSQL's catalogue is asked about a table.

pub(super) const COLUMNS: &str = "
    select a.attname::text as name, format_type(a.atttypid, a.atttypmod)::text as type,
        pg_get_expr(d.adbin, d.adrelid)::text as default_value, (not a.attnotnull)::int as is_nullable,
        exists(select from pg_index i where i.indrelid = t.oid and i.indisprimary and a.attnum = any(i.indkey))::int
            as is_primary
    from pg_class t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
    where t.relnamespace = current_schema()::regnamespace and t.relname = ?
    order by a.attnum";

pub(super) const INDEXES: &str = "
    select c.relname::text as name, pg_get_indexdef(i.indexrelid, k.n, false)::text as column_name,
        i.indisunique::int as is_unique
    from pg_class t
    join pg_index i on i.indrelid = t.oid
    join pg_class c on c.oid = i.indexrelid
    cross join lateral generate_series(1, i.indnkeyatts::int) as k (n)
    where t.relnamespace = current_schema()::regnamespace and t.relname = ?
    order by c.relname, k.n";

pub(super) const FOREIGN_KEYS: &str = "
    select k.conname::text as name, a.attname::text as column_name, f.relname::text as target_table,
        b.attname::text as target_column,
        case k.confdeltype when 'c' then 'CASCADE' when 'n' then 'SET NULL' when 'd' then 'SET DEFAULT'
            when 'r' then 'RESTRICT' else 'NO ACTION' end as on_delete
    from pg_class t
    join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
    join pg_class f on f.oid = k.confrelid
    cross join lateral unnest(k.conkey, k.confkey) with ordinality as p (here, there, n)
    join pg_attribute a on a.attrelid = t.oid and a.attnum = p.here
    join pg_attribute b on b.attrelid = f.oid and b.attnum = p.there
    where t.relnamespace = current_schema()::regnamespace and t.relname = ?
    order by k.conname, p.n";
