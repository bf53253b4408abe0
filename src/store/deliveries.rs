//! Kept deliveries: whose turn it is, what has become of them, and what is run again.

use super::advisory_lock::{lock, try_lock};
use super::schema::{activities, customers, deliveries, notes, outbox, tickets};
use super::writes::Delivery;
use crate::store::error::Result;
use crate::store::pool::Conn;
use beeiq_core::formats::{Format, Headers};
use beeiq_core::records::delivery::DeliveryStatus;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Uuid as SqlUuid};
use ipnetwork::IpNetwork;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use uuid::Uuid;

/// The HTTP status of a request that came while the first one of its `Idempotency-Key` was running.
pub(crate) const KEY_IN_USE: i16 = 409;

/// What has become of a delivery.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Outcome {
    #[diesel(deserialize_as = String)]
    pub(crate) status: DeliveryStatus,
    pub(crate) http_status: Option<i16>,
    pub(crate) answer: Option<String>,
}

/// What has become of a delivery, of that listener where one is given.
pub(crate) fn outcome(
    conn: &mut Conn,
    org: Uuid,
    listener: Option<Uuid>,
    id: Uuid,
) -> Result<Option<Outcome>> {
    let mut rows = deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(id))
        .select((deliveries::status, deliveries::http_status, deliveries::answer))
        .into_boxed();
    if let Some(listener) = listener {
        rows = rows.filter(deliveries::listener_id.eq(listener));
    }
    Ok(rows.first(conn).optional()?)
}

/// An org's listener that has deliveries waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, QueryableByName)]
#[diesel(table_name = deliveries)]
pub(crate) struct Queue {
    pub(crate) org_id: Uuid,
    pub(crate) listener_id: Uuid,
}

/// The next queues after that one, in the order of their ids: one look into the index for each,
/// however many deliveries wait in it. To be asked within `pool::over_queues`.
pub(crate) fn queues_after(
    conn: &mut Conn,
    after: Option<Queue>,
    limit: i64,
) -> Result<Vec<Queue>> {
    let nil = Queue { org_id: Uuid::nil(), listener_id: Uuid::nil() };
    let Queue { org_id, listener_id } = after.unwrap_or(nil);
    Ok(diesel::sql_query(
        "WITH RECURSIVE queues AS ( \
             (SELECT org_id, listener_id, 1::bigint AS n FROM deliveries \
              WHERE status = 'pending' AND (org_id, listener_id) > ($1, $2) \
              ORDER BY org_id, listener_id LIMIT 1) \
             UNION ALL \
             SELECT next.org_id, next.listener_id, queues.n + 1 FROM queues, LATERAL ( \
                 SELECT d.org_id, d.listener_id FROM deliveries AS d \
                 WHERE d.status = 'pending' \
                   AND (d.org_id, d.listener_id) > (queues.org_id, queues.listener_id) \
                 ORDER BY d.org_id, d.listener_id LIMIT 1) AS next \
             WHERE queues.n < $3) \
         SELECT org_id, listener_id FROM queues",
    )
    .bind::<SqlUuid, _>(org_id)
    .bind::<SqlUuid, _>(listener_id)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// A kept delivery that is to be applied: its turn has come, or it is run again.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    pub(crate) listener_id: Uuid,
    pub(crate) connection_id: Option<Uuid>,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) caller: IpNetwork,
    #[diesel(deserialize_as = String)]
    pub(crate) status: DeliveryStatus,
    pub(crate) http_status: Option<i16>,
    pub(crate) query: String,
    #[diesel(deserialize_as = Value)]
    pub(crate) headers: Headers,
    #[diesel(deserialize_as = String)]
    pub(crate) format: Format,
    pub(crate) body: Vec<u8>,
    pub(crate) body_complete: bool,
}

/// The beginning of a try to apply the first delivery of a queue.
pub(crate) enum Begun {
    Attempt(Box<Attempt>),
    /// Another process is at the queue.
    Busy,
    /// Nothing waits.
    Nothing,
}

#[derive(Queryable)]
pub(crate) struct Attempt {
    pub(crate) delivery: Kept,
    /// The tries at it, with this one, whose end is not known or was its own fault.
    pub(crate) count: i16,
}

/// Takes the delivery of a queue that came first, and counts the try that begins. To be committed
/// before the try: the count is all that a delivery that kills its process leaves behind.
pub(crate) fn begin_attempt(conn: &mut Conn, queue: Queue) -> Result<Begun> {
    let Queue { org_id, listener_id } = queue;
    if !lock_queue(conn, org_id, listener_id)? {
        return Ok(Begun::Busy);
    }
    let Some(first) = first_waiting(conn, queue)? else { return Ok(Begun::Nothing) };
    let attempt = diesel::update(deliveries::table)
        .filter(deliveries::org_id.eq(org_id))
        .filter(deliveries::id.eq(first))
        .set(deliveries::attempts.eq(deliveries::attempts + 1))
        .returning((Kept::as_returning(), deliveries::attempts))
        .get_result(conn)?;
    Ok(Begun::Attempt(Box::new(attempt)))
}

/// Takes tries off a delivery's count, which ended for no fault of its own.
pub(crate) fn uncount_attempts(conn: &mut Conn, org: Uuid, id: Uuid, tries: i16) -> Result<()> {
    diesel::update(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(id))
        .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str()))
        .set(deliveries::attempts.eq(deliveries::attempts - tries))
        .execute(conn)?;
    Ok(())
}

fn lock_queue(conn: &mut Conn, org: Uuid, listener: Uuid) -> QueryResult<bool> {
    try_lock(conn, &queue_name(org, listener))
}

/// Keeps what waits at a listener waiting until the transaction ends: what is run again came before
/// it.
pub(crate) fn hold_queue(conn: &mut Conn, org: Uuid, listener: Uuid) -> Result<()> {
    Ok(lock(conn, &queue_name(org, listener))?)
}

/// The name of its lock.
fn queue_name(org: Uuid, listener: Uuid) -> String {
    format!("{org}:{listener}:later")
}

fn first_waiting(conn: &mut Conn, queue: Queue) -> QueryResult<Option<Uuid>> {
    waiting(queue).order(deliveries::id).select(deliveries::id).first(conn).optional()
}

fn waiting<'a>(queue: Queue) -> deliveries::BoxedQuery<'a, Pg> {
    deliveries::table
        .filter(deliveries::org_id.eq(queue.org_id))
        .filter(deliveries::listener_id.eq(queue.listener_id))
        // Not as a value: a plan for any value could not use the index of those that wait.
        .filter(sql::<Bool>("status = 'pending'"))
        .into_boxed()
}

/// Whether it is this delivery's turn. If so, nobody else applies one of its listener until the
/// transaction ends.
pub(crate) fn take_turn(conn: &mut Conn, org: Uuid, listener: Uuid, id: Uuid) -> Result<bool> {
    if !lock_queue(conn, org, listener)? {
        return Ok(false);
    }
    // A statement of its own: it sees what was committed before the lock was had.
    let first = first_waiting(conn, Queue { org_id: org, listener_id: listener })?;
    Ok(first == Some(id))
}

/// Writes what has become of a delivery that was deferred, where it still waits.
pub(crate) fn complete(conn: &mut Conn, org: Uuid, delivery: &Delivery<'_>) -> Result<bool> {
    let updated = diesel::update(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(delivery.id))
        .filter(deliveries::status.eq("pending"))
        .set((
            deliveries::status.eq(delivery.status.as_str()),
            deliveries::http_status.eq(delivery.http_status),
            deliveries::answer.eq(delivery.answer),
            deliveries::duration_ms.eq(delivery.duration_ms),
            deliveries::unresolved.eq(delivery.unresolved),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

/// How long the body of the delivery that is meant is, in bytes; see [`root`].
pub(crate) fn root_bytes(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<i32>> {
    let Some(root) = root_id(conn, org, id)? else { return Ok(None) };
    Ok(deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(root))
        .select(sql::<Integer>("octet_length(deliveries.body)"))
        .first(conn)
        .optional()?)
}

/// The delivery that is meant: of a replay, or of a repeated answer, the first one.
pub(crate) fn root(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<Kept>> {
    let Some(root) = root_id(conn, org, id)? else { return Ok(None) };
    Ok(deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(root))
        .select(Kept::as_select())
        .first(conn)
        .optional()?)
}

fn root_id(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<Uuid>> {
    let first: Option<(Option<Uuid>, Option<Uuid>)> = deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(id))
        .select((deliveries::replay_of, deliveries::repeats))
        .first(conn)
        .optional()?;
    Ok(first.map(|(replay_of, repeats)| replay_of.or(repeats).unwrap_or(id)))
}

/// What a delivery of that body and its replays were answered, in their order; nothing where it has
/// another body by now, since somebody has been erased from it. Other replays of it, and who erases
/// somebody from it, wait until the transaction ends.
pub(crate) fn lock_answers(
    conn: &mut Conn,
    org: Uuid,
    root: Uuid,
    body: &[u8],
) -> Result<Option<Vec<String>>> {
    let of = deliveries::table.filter(deliveries::org_id.eq(org));
    let first: Option<(Option<String>, Vec<u8>)> = of
        .filter(deliveries::id.eq(root))
        .select((deliveries::answer, sql::<Binary>("sha256(deliveries.body)")))
        .for_update()
        .first(conn)
        .optional()?;
    let Some((first, _)) = first.filter(|(_, digest)| **digest == *Sha256::digest(body)) else {
        return Ok(None);
    };
    // A statement of its own: it sees what was committed before the lock was had.
    let replays: Vec<Option<String>> = of
        .filter(deliveries::replay_of.eq(root))
        .order(deliveries::id)
        .select(deliveries::answer)
        .load(conn)?;
    Ok(Some(std::iter::once(first).chain(replays).flatten().collect()))
}

/// Which of these notes, tickets, activities, messages and customers are there.
pub(crate) fn still_there(conn: &mut Conn, org: Uuid, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let notes =
        notes::table.filter(notes::org_id.eq(org)).filter(notes::id.eq_any(ids)).select(notes::id);
    let tickets = tickets::table
        .filter(tickets::org_id.eq(org))
        .filter(tickets::id.eq_any(ids))
        .select(tickets::id);
    let activities = activities::table
        .filter(activities::org_id.eq(org))
        .filter(activities::id.eq_any(ids))
        .select(activities::id);
    let messages = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::id.eq_any(ids))
        .select(outbox::id);
    let customers = customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq_any(ids))
        .select(customers::id);
    let records = notes.union(tickets).union(activities).union(messages).union(customers);
    Ok(records.load(conn)?.into_iter().collect())
}

/// Notes how many of a delivery's actions have not been applied yet.
pub(crate) fn set_unresolved(conn: &mut Conn, org: Uuid, id: Uuid, unresolved: i32) -> Result<()> {
    diesel::update(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(id))
        .set(deliveries::unresolved.eq(unresolved))
        .execute(conn)?;
    Ok(())
}
