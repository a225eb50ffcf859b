-- What the cache keeps in the database. `expires_at` is in milliseconds since 1970; 0 is never.
create table cache_entries (
    name blob not null primary key,
    value blob not null,
    expires_at bigint not null
);

create index cache_entries_expires_at_index on cache_entries (expires_at);

create table cache_tags (
    name blob not null primary key,
    version blob not null,
    expires_at bigint not null
);

-- Locks, and the leases of those who load an entry.
create table cache_locks (
    name blob not null primary key,
    owner blob not null,
    expires_at bigint not null
);
