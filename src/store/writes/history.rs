//! New history lines.

use super::columns::each;
use crate::actions::{HistoryLine, Origin};
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, lines: &[(Origin, HistoryLine)]) -> Option<Statement<'_>> {
    if lines.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO history (org_id, id, at, kind, customer_id, deal_id, ticket_id, actor_id, listener_id, request_id, details) \
         SELECT $1, new.id, new.at, new.kind, new.customer_id, new.deal_id, new.ticket_id, new.actor_id, \
             new.listener_id, new.request_id, new.details::jsonb \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             AS new (id, at, kind, customer_id, deal_id, ticket_id, actor_id, listener_id, request_id, details)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(lines, |(_, line)| line.id))
    .bind::<Array<Timestamptz>, _>(each(lines, |(origin, _)| origin.at))
    .bind::<Array<Text>, _>(each(lines, |(_, line)| line.kind.as_str()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |(_, line)| line.subject.customer()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |(_, line)| line.subject.deal()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |(_, line)| line.subject.ticket()))
    .bind::<Array<SqlUuid>, _>(each(lines, |(origin, _)| origin.sender))
    .bind::<Array<SqlUuid>, _>(each(lines, |(origin, _)| origin.listener))
    .bind::<Array<SqlUuid>, _>(each(lines, |(origin, _)| origin.request))
    .bind::<Array<Text>, _>(each(lines, |(_, line)| line.details.to_string()));
    Some(insert)
}
