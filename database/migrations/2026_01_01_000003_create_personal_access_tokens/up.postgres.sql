create table personal_access_tokens (
    id uuid not null primary key,
    user_id uuid not null references users (id) on delete cascade,
    name text not null,
    token_hash bytea not null,
    expires_at timestamp not null,
    last_used_at timestamp,
    revoked_at timestamp,
    created_at timestamp not null
);

create unique index personal_access_tokens_hash_unique on personal_access_tokens (token_hash);
create index personal_access_tokens_user_index on personal_access_tokens (user_id);
