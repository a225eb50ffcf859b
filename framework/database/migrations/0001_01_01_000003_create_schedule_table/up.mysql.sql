-- Which run of which task has been taken. The key lets one of those in who want it. `due_at` is in milliseconds since 1970, and a
-- whole second but where it is only noted what became of a task until then.
create table schedule_runs (
    task varchar(255) not null,
    due_at bigint not null,
    claimed_by varchar(36) not null,
    primary key (task, due_at)
) character set utf8mb4 collate utf8mb4_bin;
