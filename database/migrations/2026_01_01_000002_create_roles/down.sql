drop table user_roles;
drop table role_permissions;
drop table permissions;
drop table roles;
