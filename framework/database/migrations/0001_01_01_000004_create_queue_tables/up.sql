-- Jobs that can be claimed, and those that a worker has. Moments here and below are in microseconds since 1970.
-- A batch and a unique key that one is tied to are known where what is written of it cannot be read.
create table queue_jobs (
    seq integer not null primary key autoincrement,
    queue blob not null,
    priority smallint not null,
    worker blob,
    token bigint not null default 0,
    attempts integer not null default 0,
    crashes integer not null default 0,
    ties blob,
    about blob not null,
    payload blob not null
);

create index queue_jobs_ready_index on queue_jobs (queue, priority) where worker is null;
create index queue_jobs_worker_index on queue_jobs (worker) where worker is not null;

-- Jobs that are not due yet.
create table queue_scheduled (
    seq integer not null primary key autoincrement,
    due_at bigint not null,
    queue blob not null,
    priority smallint not null,
    token bigint not null default 0,
    attempts integer not null default 0,
    crashes integer not null default 0,
    ties blob,
    about blob not null,
    payload blob not null
);

create index queue_scheduled_queue_index on queue_scheduled (queue, due_at);

create table queue_failed (
    id blob not null primary key,
    queue blob not null,
    priority smallint not null,
    attempts integer not null,
    about blob not null,
    payload blob not null,
    error text not null,
    failed_at bigint not null
);

create index queue_failed_failed_at_index on queue_failed (failed_at);

create table queue_batches (
    id blob not null primary key,
    name text not null,
    total bigint not null,
    pending bigint not null,
    failed bigint not null,
    cancelled bigint not null default 0,
    cancelled_at bigint,
    finished_at bigint,
    batch blob not null
);

create index queue_batches_finished_at_index on queue_batches (finished_at);

-- Keys of unique jobs: whose, and until when at the latest.
create table queue_keys (
    name blob not null primary key,
    owner blob not null,
    until bigint not null
);

create index queue_keys_until_index on queue_keys (until);

-- Workers that are alive: one whose count stands still is not.
create table queue_workers (
    id blob not null primary key,
    beats bigint not null,
    status blob not null
);

-- What all workers were told.
create table queue_states (
    name blob not null primary key,
    value bigint not null
);

-- What a transaction pushed into a queue outside this database, until it is there.
create table queue_outbox (
    seq integer not null primary key autoincrement,
    claimed_until bigint not null,
    relayed bigint not null default 0,
    push blob not null
);

create index queue_outbox_claimed_until_index on queue_outbox (claimed_until);

-- What consumers have had.
create table queue_inbox (
    consumer blob not null,
    id blob not null,
    received_at bigint not null,
    primary key (consumer, id)
);

create index queue_inbox_received_at_index on queue_inbox (received_at);
