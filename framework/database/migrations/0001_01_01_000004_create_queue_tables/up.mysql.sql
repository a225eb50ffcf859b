-- Jobs that can be claimed, and those that a worker has. Moments here and below are in microseconds since 1970.
-- A batch and a unique key that one is tied to are known where what is written of it cannot be read.
create table queue_jobs (
    seq bigint not null auto_increment primary key,
    queue varbinary(255) not null,
    priority smallint not null,
    worker binary(16),
    token bigint not null default 0,
    attempts integer not null default 0,
    crashes integer not null default 0,
    ties varbinary(800),
    about longblob not null,
    payload longblob not null
);

create index queue_jobs_worker_index on queue_jobs (worker, queue, priority);

-- Jobs that are not due yet.
create table queue_scheduled (
    seq bigint not null auto_increment primary key,
    due_at bigint not null,
    queue varbinary(255) not null,
    priority smallint not null,
    token bigint not null default 0,
    attempts integer not null default 0,
    crashes integer not null default 0,
    ties varbinary(800),
    about longblob not null,
    payload longblob not null
);

create index queue_scheduled_queue_index on queue_scheduled (queue, due_at);

create table queue_failed (
    id binary(16) not null primary key,
    queue varbinary(255) not null,
    priority smallint not null,
    attempts integer not null,
    about longblob not null,
    payload longblob not null,
    error mediumtext not null,
    failed_at bigint not null
) character set utf8mb4;

create index queue_failed_failed_at_index on queue_failed (failed_at);

create table queue_batches (
    id binary(16) not null primary key,
    name mediumtext not null,
    total bigint not null,
    pending bigint not null,
    failed bigint not null,
    cancelled bigint not null default 0,
    cancelled_at bigint,
    finished_at bigint,
    batch longblob not null
) character set utf8mb4;

create index queue_batches_finished_at_index on queue_batches (finished_at);

-- Keys of unique jobs: whose, and until when at the latest.
create table queue_keys (
    name varbinary(700) not null primary key,
    owner binary(16) not null,
    until bigint not null
);

create index queue_keys_until_index on queue_keys (until);

-- Workers that are alive: one whose count stands still is not.
create table queue_workers (
    id binary(16) not null primary key,
    beats bigint not null,
    status longblob not null
);

-- What all workers were told.
create table queue_states (
    name varbinary(700) not null primary key,
    value bigint not null
);

-- What a transaction pushed into a queue outside this database, until it is there.
create table queue_outbox (
    seq bigint not null auto_increment primary key,
    claimed_until bigint not null,
    relayed bigint not null default 0,
    push longblob not null
);

create index queue_outbox_claimed_until_index on queue_outbox (claimed_until);

-- What consumers have had.
create table queue_inbox (
    consumer varbinary(300) not null,
    id varbinary(300) not null,
    received_at bigint not null,
    primary key (consumer, id)
);

create index queue_inbox_received_at_index on queue_inbox (received_at);
