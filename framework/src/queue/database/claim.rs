use std::collections::HashSet;

use uuid::Uuid;

use super::{
    super::{BatchEnd, Claimed, JobId, Message, Receipt, UniqueUntil},
    batches,
    push::{cancelled, give_keys, store, unwritable},
    row::{Place, Stored, about, bytes, key, micros, name, numbers, place, plain, sql, stored, tied},
    settle::{Ends, take_away},
};
use crate::{
    database::{Connection, DbError, Row, Value},
    support::Timestamp,
};

const COLUMNS: &str = "seq, queue, priority, token, attempts, crashes, about, payload";

/// Has PostgreSQL read what is ready in the order of the index. Its statistics are always behind a queue, which is long one moment and
/// empty the next; where they say that little is there, it reads and sorts the whole backlog for each claim.
const IN_ORDER: &str = "set local enable_sort = off; set local enable_bitmapscan = off; set local enable_seqscan = off";

/// Who claims, from which queues, and how many at most.
pub(super) struct Wanted {
    pub(super) worker: Uuid,
    pub(super) queues: Vec<String>,
    pub(super) most: usize,
}

/// The name under which it is kept that a queue is paused.
pub(super) fn pause(queue: &str) -> Value {
    name(&format!("pause:{queue}"))
}

/// What can be claimed from a queue, the first first. All that keeps a row out comes before the limit.
fn ready(columns: &str, index: &str, most: usize, held: &str) -> String {
    format!(
        "select {columns} from queue_jobs{index} where worker is null and queue = ? \
         and not exists (select 1 from queue_states where name = ?) order by priority, seq limit {most}{held}"
    )
}

/// Whether anything can be claimed from these queues.
pub(super) async fn is_ready<C: Connection>(c: &mut C, queues: &[String]) -> Result<bool, DbError> {
    if queues.is_empty() {
        return Ok(false);
    }
    let one = "exists (select 1 from queue_jobs where worker is null and queue = ?) \
               and not exists (select 1 from queue_states where name = ?)";
    let query = format!("select ({}) as n", vec![format!("({one})"); queues.len()].join(" or "));
    let rows = c.fetch(&sql(query, queues.iter().flat_map(|queue| [name(queue), pause(queue)]))).await?;
    Ok(rows.first().is_some_and(|row| row.integer("n") != 0))
}

/// Takes away the rows of plain ends, and claims; which rows went, and what was claimed.
pub(super) async fn turn<C: Connection>(
    c: &mut C,
    ends: &Ends,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(HashSet<i64>, Vec<Claimed>), DbError> {
    if C::BACKEND == "postgres" {
        if wanted.most > 0 {
            c.batch_execute(IN_ORDER).await?;
        }
        let (gone, rows) = fused(c, ends, wanted).await?;
        return Ok((gone, received(c, rows, wanted, now).await?));
    }
    let gone = take_away(c, &ends.plain).await?;
    let mut rows = Vec::new();
    for queue in &wanted.queues {
        if rows.len() >= wanted.most {
            break;
        }
        let most = wanted.most - rows.len();
        rows.extend(match C::BACKEND {
            "sqlite" => update_returning(c, wanted.worker, queue, most).await?,
            _ => select_and_update(c, wanted.worker, queue, most).await?,
        });
    }
    Ok((gone, received(c, rows, wanted, now).await?))
}

async fn update_returning<C: Connection>(
    c: &mut C,
    worker: Uuid,
    queue: &str,
    most: usize,
) -> Result<Vec<Row>, DbError> {
    let statement = format!(
        "update queue_jobs set worker = ?, token = token + 1, attempts = attempts + 1 where seq in ({}) returning {COLUMNS}",
        ready("seq", "", most, "")
    );
    Ok(c.fetch(&sql(statement, [key(worker), name(queue), pause(queue)])).await?)
}

async fn select_and_update<C: Connection>(
    c: &mut C,
    worker: Uuid,
    queue: &str,
    most: usize,
) -> Result<Vec<Row>, DbError> {
    let columns = COLUMNS.replace("token, attempts", "token + 1 as token, attempts + 1 as attempts");
    let query = ready(&columns, " force index (queue_jobs_worker_index)", most, " for update skip locked");
    let rows = c.fetch(&sql(query, [name(queue), pause(queue)])).await?;
    if !rows.is_empty() {
        let seqs = numbers(rows.iter().map(|row| row.integer("seq")));
        let statement = format!(
            "update queue_jobs set worker = ?, token = token + 1, attempts = attempts + 1 where seq in ({seqs})"
        );
        c.run(&sql(statement, [key(worker)])).await?;
    }
    Ok(rows)
}

/// Both in one statement, and so in one round trip.
async fn fused<C: Connection>(c: &mut C, ends: &Ends, wanted: &Wanted) -> Result<(HashSet<i64>, Vec<Row>), DbError> {
    let (mut ctes, mut selects, mut values) = (Vec::new(), Vec::new(), Vec::new());
    if !ends.plain.is_empty() {
        let mut places: Vec<_> = ends.plain.iter().map(|(_, place)| *place).collect();
        places.sort_unstable_by_key(|place| place.seq);
        let array = |number: fn(&Place) -> i64| Value::Text(format!("{{{}}}", numbers(places.iter().map(number))));
        values.extend([array(|place| place.seq), array(|place| place.token)]);
        ctes.push(
            "done as (delete from queue_jobs j using unnest(cast(? as bigint[]), cast(? as bigint[])) as e(seq, token) \
             where j.seq = e.seq and j.token = e.token and j.worker is not null returning j.seq)"
                .to_owned(),
        );
        selects.push(
            "select seq, null as queue, null as priority, null as token, null as attempts, null as crashes, \
             null as about, null as payload from done"
                .to_owned(),
        );
    }
    if wanted.most > 0 && !wanted.queues.is_empty() {
        let ready = ready("seq", "", wanted.most, " for update of queue_jobs skip locked");
        let each: Vec<_> = (0..wanted.queues.len()).map(|at| format!("select seq from ({ready}) q{at}")).collect();
        ctes.push(format!("wanted as materialized ({} limit {})", each.join(" union all "), wanted.most));
        values.extend(wanted.queues.iter().flat_map(|queue| [name(queue), pause(queue)]));
        let columns = COLUMNS.split(", ").map(|column| format!("j.{column}")).collect::<Vec<_>>().join(", ");
        ctes.push(format!(
            "claimed as (update queue_jobs j set worker = ?, token = j.token + 1, attempts = j.attempts + 1 \
             from wanted where j.seq = wanted.seq returning {columns})"
        ));
        values.push(key(wanted.worker));
        // Its columns say what those of the others are.
        selects.insert(0, format!("select {COLUMNS} from claimed"));
    }
    if selects.is_empty() {
        return Ok((HashSet::new(), Vec::new()));
    }
    let statement = format!("with {} {}", ctes.join(", "), selects.join(" union all "));
    let rows = c.fetch(&sql(statement, values)).await?;
    let (done, claimed): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| *row.get("about") == Value::Null);
    Ok((done.iter().map(|row| row.integer("seq")).collect(), claimed))
}

/// What was claimed, in its order, and without what cannot be read, which is put aside.
async fn received<C: Connection>(
    c: &mut C,
    rows: Vec<Row>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Vec<Claimed>, DbError> {
    let (mut claimed, mut keys) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let Stored { seq, token, attempts, crashes, message } = stored(row);
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                put_aside(c, seq, &error.to_string(), now).await?;
                continue;
            }
        };
        if let Some(unique) = message.unique.as_ref().filter(|unique| unique.until == UniqueUntil::Start) {
            keys.push((unique.key.clone().into_bytes(), message.id.uuid()));
        }
        let token = u64::try_from(token).unwrap_or_default();
        let receipt = Receipt { token, place: place(seq, message.unique.as_ref()) };
        let counted = |number: i64| u32::try_from(number).unwrap_or_default();
        let (attempt, crashes) = (counted(attempts), counted(crashes));
        claimed.push((seq, Claimed { message, receipt, attempt, crashes, cancelled: false }));
    }
    if !keys.is_empty() {
        give_keys(c, keys).await?;
    }
    let of = batches::of(claimed.iter().filter_map(|(_, claimed)| claimed.message.batch.as_ref()));
    let cancelled = cancelled(c, &of).await?;
    for (_, claimed) in &mut claimed {
        claimed.cancelled = batches::is_among(&cancelled, claimed.message.batch);
    }
    let turn = |queue: &String| wanted.queues.iter().position(|wanted| wanted == queue);
    claimed.sort_unstable_by_key(|(seq, claimed)| (turn(&claimed.message.queue), claimed.message.priority, *seq));
    Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
}

/// A row that this driver did not write, or not like this: it must neither be lost nor claimed again and again, nor keep others from
/// its key, nor its batch from its end.
async fn put_aside<C: Connection>(c: &mut C, seq: i64, error: &str, now: Timestamp) -> Result<(), DbError> {
    let query = format!("select queue, payload, ties from queue_jobs where seq = {seq}");
    let Some(mut row) = c.fetch(&sql(query, [])).await?.pop() else { return Ok(()) };
    let queue = String::from_utf8_lossy(&bytes(&mut row, "queue")).into_owned();
    let (batch, unique) = tied(&mut row);
    let message = Message::unreadable(JobId::new(), queue, bytes(&mut row, "payload").into());
    // It is a member again when it is tried again.
    let message = Message { batch, ..message };
    tracing::error!(seq, error, "a row of `queue_jobs` cannot be read, and was put with the failed jobs");
    let about = about(&message).map_err(|error| unwritable(&*error))?;
    let error = format!("its row in `queue_jobs` cannot be read: {error}");
    let statement = "insert into queue_failed (id, queue, priority, attempts, about, payload, error, failed_at) \
                     values (?, ?, ?, 0, ?, ?, ?, ?)";
    let values = [
        key(message.id.uuid()),
        name(&message.queue),
        i64::from(message.priority as u8).into(),
        Value::Bytes(about),
        Value::Bytes(message.payload.to_vec()),
        plain(&error),
        micros(now).into(),
    ];
    c.run(&sql(statement, values)).await?;
    c.run(&sql(format!("delete from queue_jobs where seq = {seq}"), [])).await?;
    let push = batches::end(c, batch.map(|batch| (batch, BatchEnd::Failed)), now).await?;
    store(c, push, unique.into_iter().collect(), now).await
}
