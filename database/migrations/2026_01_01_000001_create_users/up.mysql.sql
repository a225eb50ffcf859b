create table users (
    id binary(16) not null primary key,
    name varchar(255) not null,
    email varchar(255) not null,
    password_hash varchar(255) not null,
    created_at datetime(6) not null,
    updated_at datetime(6) not null
) character set utf8mb4;

create unique index users_email_unique on users (email);
create index users_created_at_index on users (created_at);
