//! Deleting what has been kept long enough.

use super::advisory_lock::try_lock;
use super::schema::{deliveries, idempotency_keys};
use crate::store::error::Result;
use crate::store::pool::Conn;
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

/// Deletes up to `limit` deliveries with ids before that one, and as many idempotency keys from
/// before that time. What waits to be applied stays, however old it is.
pub(crate) fn forget(
    conn: &mut Conn,
    org: Uuid,
    before: Uuid,
    keys_before: DateTime<Utc>,
    limit: i64,
) -> Result<Forgotten> {
    if !try_lock(conn, &format!("{org}:retention"))? {
        return Ok(Forgotten::All);
    }
    let old_keys: Vec<(Uuid, String)> = idempotency_keys::table
        .filter(idempotency_keys::org_id.eq(org))
        .filter(idempotency_keys::created_at.lt(keys_before))
        .order(idempotency_keys::created_at)
        .limit(limit)
        .select((idempotency_keys::listener_id, idempotency_keys::key))
        .load(conn)?;
    for (listener, key) in &old_keys {
        diesel::delete(idempotency_keys::table)
            .filter(idempotency_keys::org_id.eq(org))
            .filter(idempotency_keys::listener_id.eq(listener))
            .filter(idempotency_keys::key.eq(key))
            .filter(idempotency_keys::created_at.lt(keys_before))
            .execute(conn)?;
    }
    let old: Vec<Uuid> = deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.lt(before))
        .filter(deliveries::status.ne("pending"))
        .order(deliveries::id)
        .limit(limit)
        .select(deliveries::id)
        .load(conn)?;
    let deleted = diesel::delete(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq_any(&old))
        .execute(conn)?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(if deleted < full && old_keys.len() < full { Forgotten::All } else { Forgotten::Some })
}
