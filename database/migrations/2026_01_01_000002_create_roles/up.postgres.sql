create table roles (
    id uuid not null primary key,
    name text not null,
    description text,
    created_at timestamp not null,
    updated_at timestamp not null
);

create unique index roles_name_unique on roles (name);

create table permissions (
    id uuid not null primary key,
    name text not null
);

create unique index permissions_name_unique on permissions (name);

create table role_permissions (
    role_id uuid not null references roles (id) on delete cascade,
    permission_id uuid not null references permissions (id) on delete cascade,
    primary key (role_id, permission_id)
);

create index role_permissions_permission_index on role_permissions (permission_id);

create table user_roles (
    user_id uuid not null references users (id) on delete cascade,
    role_id uuid not null references roles (id) on delete cascade,
    primary key (user_id, role_id)
);

create index user_roles_role_index on user_roles (role_id);
