create table users (
    id uuid not null primary key,
    name text not null,
    email text not null,
    password_hash text not null,
    created_at timestamp not null,
    updated_at timestamp not null
);

create unique index users_email_unique on users (email);
create index users_created_at_index on users (created_at);
