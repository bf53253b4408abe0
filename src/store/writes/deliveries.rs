//! Deliveries with their answers.

use super::columns::{Json, Rows, each};
use crate::store::statement::Statement;
use beeiq_core::formats::{Format, Headers};
use beeiq_core::records::delivery::DeliveryStatus;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Bool, Bytea, Inet, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use ipnetwork::IpNetwork;
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) id: Uuid,
    pub(crate) listener_id: Uuid,
    pub(crate) connection_id: Option<Uuid>,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) caller: IpNetwork,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a Headers,
    pub(crate) format: Format,
    pub(crate) body: &'a [u8],
    pub(crate) body_complete: bool,
    pub(crate) sender_user: Option<&'a str>,
    pub(crate) dry_run: bool,
    pub(crate) status: DeliveryStatus,
    pub(crate) http_status: Option<i16>,
    pub(crate) answer: Option<&'a str>,
    /// Until now; what writing it takes is added.
    pub(crate) duration_ms: Option<i32>,
    pub(crate) repeats: Option<Uuid>,
    pub(crate) respond_async: bool,
    pub(crate) replay_of: Option<Uuid>,
    pub(crate) unresolved: Option<i32>,
}

pub(super) fn insert<'a>(org: Uuid, deliveries: &[Delivery<'a>]) -> Option<Statement<'a>> {
    if deliveries.is_empty() {
        return None;
    }
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(deliveries, |it| it.id))
        .column::<SqlUuid, _>("listener_id", each(deliveries, |it| it.listener_id))
        .column::<Nullable<SqlUuid>, _>("connection_id", each(deliveries, |it| it.connection_id))
        .column::<Timestamptz, _>("received_at", each(deliveries, |it| it.received_at))
        .column::<Inet, _>("caller", each(deliveries, |it| it.caller))
        .column::<Text, _>("query", each(deliveries, |it| it.query))
        .json("headers", "{}", each(deliveries, |it| Some(Json(it.headers))))
        .column::<Text, _>("format", each(deliveries, |it| it.format.as_str()))
        .column::<Bytea, _>("body", each(deliveries, |it| it.body))
        .column::<Bool, _>("body_complete", each(deliveries, |it| it.body_complete))
        .column::<Nullable<Text>, _>("sender_user", each(deliveries, |it| it.sender_user))
        .column::<Bool, _>("dry_run", each(deliveries, |it| it.dry_run))
        .column::<Text, _>("status", each(deliveries, |it| it.status.as_str()))
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
