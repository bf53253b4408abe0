//! Deleting what has been kept long enough.

use super::advisory_lock::try_lock;
use super::schema::{deliveries, idempotency_keys, outbox};
use super::wordings;
use crate::store::error::Result;
use crate::store::pool::Conn;
use beeiq_core::records::message::Status;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    /// Nothing too old is left of the org, or another process is at it.
    All,
    /// There may be more.
    Some,
}

/// What is too old.
#[derive(Clone, Copy)]
pub(crate) struct Old {
    /// Deliveries with ids before this one.
    pub deliveries: Uuid,
    /// Messages with ids before this one, which were queued before then.
    pub messages: (Uuid, DateTime<Utc>),
    /// Idempotency keys from before then.
    pub keys: DateTime<Utc>,
}

/// Deletes up to `limit` of each. What waits to be applied or sent stays, however old it is.
pub(crate) fn forget(conn: &mut Conn, org: Uuid, old: Old, limit: i64) -> Result<Forgotten> {
    if !try_lock(conn, &format!("{org}:retention"))? {
        return Ok(Forgotten::All);
    }
    let old_keys: Vec<(Uuid, String)> = idempotency_keys::table
        .filter(idempotency_keys::org_id.eq(org))
        .filter(idempotency_keys::created_at.lt(old.keys))
        .order(idempotency_keys::created_at)
        .limit(limit)
        .select((idempotency_keys::listener_id, idempotency_keys::key))
        .load(conn)?;
    for (listener, key) in &old_keys {
        diesel::delete(idempotency_keys::table)
            .filter(idempotency_keys::org_id.eq(org))
            .filter(idempotency_keys::listener_id.eq(listener))
            .filter(idempotency_keys::key.eq(key))
            .filter(idempotency_keys::created_at.lt(old.keys))
            .execute(conn)?;
    }
    let found: Vec<Uuid> = deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.lt(old.deliveries))
        .filter(deliveries::status.ne("pending"))
        .order(deliveries::id)
        .limit(limit)
        .select(deliveries::id)
        .load(conn)?;
    let deleted = diesel::delete(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq_any(&found))
        .execute(conn)?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let messages = forget_messages(conn, org, old.messages, limit)?;
    Ok(if deleted < full && old_keys.len() < full && messages < full {
        Forgotten::All
    } else {
        Forgotten::Some
    })
}

/// Deletes messages that wait for nothing any more, with what they alone say: how many.
fn forget_messages(
    conn: &mut Conn,
    org: Uuid,
    (id, time): (Uuid, DateTime<Utc>),
    limit: i64,
) -> Result<usize> {
    let ended = [Status::Sent, Status::Captured, Status::Cancelled, Status::Dead];
    let found: Vec<(Uuid, Option<Uuid>)> = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::id.lt(id))
        .filter(outbox::created_at.lt(time))
        .filter(outbox::status.eq_any(ended.map(Status::as_str)))
        .order(outbox::id)
        .limit(limit)
        .select((outbox::id, outbox::wording_id))
        .for_update()
        .load(conn)?;
    let (ids, wordings): (Vec<Uuid>, Vec<Option<Uuid>>) = found.into_iter().unzip();
    diesel::delete(outbox::table)
        .filter(outbox::org_id.eq(org))
        .filter(outbox::id.eq_any(&ids))
        .execute(conn)?;
    let wordings: Vec<Uuid> = wordings.into_iter().flatten().collect();
    wordings::delete_unused(conn, org, &wordings)?;
    Ok(ids.len())
}
