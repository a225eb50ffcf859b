//! The tables, as diesel's queries know them.

use super::IdSql;

diesel::table! {
    use super::IdSql;
    use diesel::sql_types::{Text, Timestamp};

    users (id) {
        id -> IdSql,
        name -> Text,
        email -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    use super::IdSql;
    use diesel::sql_types::{Nullable, Text, Timestamp};

    roles (id) {
        id -> IdSql,
        name -> Text,
        description -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    use super::IdSql;
    use diesel::sql_types::Text;

    permissions (id) {
        id -> IdSql,
        name -> Text,
    }
}

diesel::table! {
    use super::IdSql;

    role_permissions (role_id, permission_id) {
        role_id -> IdSql,
        permission_id -> IdSql,
    }
}

diesel::table! {
    use super::IdSql;

    user_roles (user_id, role_id) {
        user_id -> IdSql,
        role_id -> IdSql,
    }
}

diesel::table! {
    use super::IdSql;
    use diesel::sql_types::{Binary, Nullable, Text, Timestamp};

    personal_access_tokens (id) {
        id -> IdSql,
        user_id -> IdSql,
        name -> Text,
        token_hash -> Binary,
        expires_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::joinable!(role_permissions -> roles (role_id));
diesel::joinable!(role_permissions -> permissions (permission_id));
diesel::joinable!(user_roles -> users (user_id));
diesel::joinable!(user_roles -> roles (role_id));
diesel::joinable!(personal_access_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    roles,
    permissions,
    role_permissions,
    user_roles,
    personal_access_tokens,
);
