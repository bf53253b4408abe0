//! Deliveries with their answers.

use super::columns::{Json, Rows, each};
use crate::store::statement::Statement;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Bool, Bytea, Inet, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
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
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(deliveries, |it| it.id))
        .column::<SqlUuid, _>("listener_id", each(deliveries, |it| it.listener_id))
        .column::<Timestamptz, _>("received_at", each(deliveries, |it| it.received_at))
        .column::<Inet, _>("caller", each(deliveries, |it| it.caller))
        .column::<Text, _>("query", each(deliveries, |it| it.query))
        .json("headers", "{}", each(deliveries, |it| Some(Json(it.headers))))
        .column::<Bytea, _>("body", each(deliveries, |it| it.body))
        .column::<Bool, _>("body_complete", each(deliveries, |it| it.body_complete))
        .column::<Nullable<Text>, _>("sender_user", each(deliveries, |it| it.sender_user))
        .column::<Bool, _>("dry_run", each(deliveries, |it| it.dry_run))
        .column::<Text, _>("status", each(deliveries, |it| it.status))
        .column::<Nullable<SmallInt>, _>("http_status", each(deliveries, |it| it.http_status))
        .column::<Nullable<Text>, _>("answer", each(deliveries, |it| it.answer))
        .column_as::<Nullable<Integer>, _>(
            "duration_ms",
            "new.duration_ms + (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::integer",
            each(deliveries, |it| it.duration_ms),
        )
        .column::<Nullable<SqlUuid>, _>("repeats", each(deliveries, |it| it.repeats))
        .column::<Bool, _>("respond_async", each(deliveries, |it| it.respond_async))
        .column::<Nullable<SqlUuid>, _>("replay_of", each(deliveries, |it| it.replay_of))
        .column::<Nullable<Integer>, _>("unresolved", each(deliveries, |it| it.unresolved));
    Some(rows.insert("deliveries"))
}
