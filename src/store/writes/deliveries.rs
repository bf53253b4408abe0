//! Deliveries with their answers.

use super::columns::each;
use crate::store::statement::{Statement, statement};
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Bytea, Inet, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

/// A row of `deliveries`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns are described in the database")]
pub struct Delivery<'a> {
    pub id: Uuid,
    pub listener_id: Uuid,
    pub received_at: DateTime<Utc>,
    pub caller: IpNetwork,
    pub query: &'a str,
    pub headers: &'a Value,
    pub body: &'a [u8],
    pub body_complete: bool,
    pub sender_user: Option<&'a str>,
    pub dry_run: bool,
    pub status: &'a str,
    pub http_status: Option<i16>,
    pub answer: Option<&'a str>,
    /// Until now; what writing it takes is added.
    pub duration_ms: Option<i32>,
    pub repeats: Option<Uuid>,
    pub respond_async: bool,
    pub replay_of: Option<Uuid>,
    pub unresolved: Option<i32>,
}

/// Inserts them.
pub(super) fn insert<'a>(org: Uuid, deliveries: &[Delivery<'a>]) -> Option<Statement<'a>> {
    if deliveries.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO deliveries (org_id, id, listener_id, received_at, caller, query, headers, body, body_complete, \
             sender_user, dry_run, status, http_status, answer, duration_ms, repeats, respond_async, \
             replay_of, unresolved) \
         SELECT $1, new.id, new.listener_id, new.received_at, new.caller, new.query, new.headers::jsonb, \
             new.body, new.body_complete, new.sender_user, new.dry_run, new.status, new.http_status, new.answer, \
             new.duration_ms + (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::integer, \
             new.repeats, new.respond_async, new.replay_of, new.unresolved \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
             AS new (id, listener_id, received_at, caller, query, headers, body, body_complete, \
             sender_user, dry_run, status, http_status, answer, duration_ms, repeats, respond_async, \
             replay_of, unresolved)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(deliveries, |it| it.id))
    .bind::<Array<SqlUuid>, _>(each(deliveries, |it| it.listener_id))
    .bind::<Array<Timestamptz>, _>(each(deliveries, |it| it.received_at))
    .bind::<Array<Inet>, _>(each(deliveries, |it| it.caller))
    .bind::<Array<Text>, _>(each(deliveries, |it| it.query))
    .bind::<Array<Text>, _>(each(deliveries, |it| it.headers.to_string()))
    .bind::<Array<Bytea>, _>(each(deliveries, |it| it.body))
    .bind::<Array<Bool>, _>(each(deliveries, |it| it.body_complete))
    .bind::<Array<Nullable<Text>>, _>(each(deliveries, |it| it.sender_user))
    .bind::<Array<Bool>, _>(each(deliveries, |it| it.dry_run))
    .bind::<Array<Text>, _>(each(deliveries, |it| it.status))
    .bind::<Array<Nullable<SmallInt>>, _>(each(deliveries, |it| it.http_status))
    .bind::<Array<Nullable<Text>>, _>(each(deliveries, |it| it.answer))
    .bind::<Array<Nullable<Integer>>, _>(each(deliveries, |it| it.duration_ms))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(deliveries, |it| it.repeats))
    .bind::<Array<Bool>, _>(each(deliveries, |it| it.respond_async))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(deliveries, |it| it.replay_of))
    .bind::<Array<Nullable<Integer>>, _>(each(deliveries, |it| it.unresolved));
    Some(insert)
}
