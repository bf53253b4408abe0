//! New history lines.

use super::columns::{Json, Rows, each};
use crate::store::statement::Statement;
use beeiq_core::batch::{HistoryLine, Origin};
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, lines: &[(Origin, HistoryLine)]) -> Option<Statement<'_>> {
    if lines.is_empty() {
        return None;
    }
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(lines, |(_, line)| line.id))
        .column::<Timestamptz, _>("at", each(lines, |(origin, _)| origin.at))
        .column::<Text, _>("kind", each(lines, |(_, line)| line.event.kind().as_str()))
        .column::<Nullable<SqlUuid>, _>(
            "customer_id",
            each(lines, |(_, line)| line.subject.customer()),
        )
        .column::<Nullable<SqlUuid>, _>("deal_id", each(lines, |(_, line)| line.subject.deal()))
        .column::<Nullable<SqlUuid>, _>("ticket_id", each(lines, |(_, line)| line.subject.ticket()))
        .column::<SqlUuid, _>("actor_id", each(lines, |(origin, _)| origin.sender))
        .column::<SqlUuid, _>("listener_id", each(lines, |(origin, _)| origin.listener))
        .column::<Nullable<SqlUuid>, _>(
            "connection_id",
            each(lines, |(origin, _)| origin.connection),
        )
        .column::<SqlUuid, _>("request_id", each(lines, |(origin, _)| origin.request))
        .json("details", "{}", each(lines, |(_, line)| Some(Json(&line.event))));
    Some(rows.insert("history"))
}
