-- Who changed what, and what it was before and after. Of a call inside a transaction it is written with the commit, or not at all.
create table audit_log (
    id varchar(36) not null primary key,
    occurred_at varchar(32) not null,
    actor varchar(100),
    action varchar(100) not null,
    service varchar(100) not null,
    method varchar(100) not null,
    arguments text not null,
    outcome varchar(10) not null,
    error text,
    state_before text,
    state_after text
);

create index audit_log_action_index on audit_log (action, occurred_at);
create index audit_log_actor_index on audit_log (actor, occurred_at);
