//! Which delivery answered an `Idempotency-Key` first.

use super::advisory_lock;
use super::schema::{deliveries, idempotency_keys};
use crate::store::pool::Conn;
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::values::idempotency::{IdempotencyKey, KEPT_DAYS};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// The answer that a key got first.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct FirstAnswer {
    pub(crate) delivery: Uuid,
    pub(crate) fingerprint: Vec<u8>,
    #[diesel(deserialize_as = String)]
    pub(crate) status: DeliveryStatus,
    pub(crate) http_status: Option<i16>,
    pub(crate) answer: Option<String>,
    /// Whether it was deferred, and so answered 202.
    pub(crate) respond_async: bool,
}

/// Keeps others with the same key out until the transaction ends. False: one is at work.
pub(crate) fn try_lock(
    conn: &mut Conn,
    org: Uuid,
    listener: Uuid,
    key: &IdempotencyKey,
) -> QueryResult<bool> {
    advisory_lock::try_lock(conn, &format!("{org}:{listener}:key:{}", key.as_str()))
}

/// What the key was answered first, within the time that answers are kept.
pub(crate) fn find(
    conn: &mut Conn,
    org: Uuid,
    listener: Uuid,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> QueryResult<Option<FirstAnswer>> {
    use idempotency_keys::dsl;
    dsl::idempotency_keys
        .inner_join(
            deliveries::table
                .on(deliveries::org_id.eq(dsl::org_id).and(deliveries::id.eq(dsl::delivery_id))),
        )
        .filter(dsl::org_id.eq(org))
        .filter(deliveries::org_id.eq(org))
        .filter(dsl::listener_id.eq(listener))
        .filter(dsl::key.eq(key.as_str()))
        .filter(dsl::created_at.gt(now - TimeDelta::days(KEPT_DAYS)))
        .select((
            dsl::delivery_id,
            dsl::fingerprint,
            deliveries::status,
            deliveries::http_status,
            deliveries::answer,
            deliveries::respond_async,
        ))
        .first(conn)
        .optional()
}

/// Keeps which delivery, with what fingerprint, answered the key first; one whose time is over gives way.
pub(crate) fn insert(
    conn: &mut Conn,
    org: Uuid,
    listener: Uuid,
    key: &IdempotencyKey,
    (delivery, fingerprint): (Uuid, &[u8]),
    now: DateTime<Utc>,
) -> QueryResult<()> {
    use diesel::upsert::excluded;
    use idempotency_keys::dsl;
    diesel::insert_into(dsl::idempotency_keys)
        .values((
            dsl::org_id.eq(org),
            dsl::listener_id.eq(listener),
            dsl::key.eq(key.as_str()),
            dsl::fingerprint.eq(fingerprint),
            dsl::delivery_id.eq(delivery),
            dsl::created_at.eq(now),
        ))
        .on_conflict((dsl::org_id, dsl::listener_id, dsl::key))
        .do_update()
        .set((
            dsl::fingerprint.eq(excluded(dsl::fingerprint)),
            dsl::delivery_id.eq(excluded(dsl::delivery_id)),
            dsl::created_at.eq(excluded(dsl::created_at)),
        ))
        .execute(conn)?;
    Ok(())
}
