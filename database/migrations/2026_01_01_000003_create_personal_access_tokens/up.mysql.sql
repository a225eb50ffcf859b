create table personal_access_tokens (
    id binary(16) not null primary key,
    user_id binary(16) not null,
    name varchar(255) not null,
    token_hash binary(32) not null,
    expires_at datetime(6) not null,
    last_used_at datetime(6),
    revoked_at datetime(6),
    created_at datetime(6) not null,
    foreign key (user_id) references users (id) on delete cascade
) character set utf8mb4;

create unique index personal_access_tokens_hash_unique on personal_access_tokens (token_hash);
