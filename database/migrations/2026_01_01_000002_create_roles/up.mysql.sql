create table roles (
    id binary(16) not null primary key,
    name varchar(255) not null,
    description text,
    created_at datetime(6) not null,
    updated_at datetime(6) not null
) character set utf8mb4;

create unique index roles_name_unique on roles (name);

create table permissions (
    id binary(16) not null primary key,
    name varchar(255) not null
) character set utf8mb4;

create unique index permissions_name_unique on permissions (name);

create table role_permissions (
    role_id binary(16) not null,
    permission_id binary(16) not null,
    primary key (role_id, permission_id),
    foreign key (role_id) references roles (id) on delete cascade,
    foreign key (permission_id) references permissions (id) on delete cascade
);

create table user_roles (
    user_id binary(16) not null,
    role_id binary(16) not null,
    primary key (user_id, role_id),
    foreign key (user_id) references users (id) on delete cascade,
    foreign key (role_id) references roles (id) on delete cascade
);
