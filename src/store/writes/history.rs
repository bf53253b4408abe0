//! New history lines.

use super::Origin;
use super::columns::each;
use crate::actions::HistoryLine;
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert<'a>(
    org: Uuid,
    lines: &'a [HistoryLine],
    origin: Origin<'_>,
) -> Option<Statement<'a>> {
    if lines.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO history (org_id, id, at, kind, customer_id, deal_id, ticket_id, actor_id, listener_id, request_id, details) \
         SELECT $1, new.id, $2, new.kind, new.customer_id, new.deal_id, new.ticket_id, $3, $4, $5, new.details::jsonb \
         FROM unnest($6, $7, $8, $9, $10, $11) AS new (id, kind, customer_id, deal_id, ticket_id, details)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Timestamptz, _>(origin.at)
    .bind::<SqlUuid, _>(origin.sender)
    .bind::<SqlUuid, _>(origin.listener)
    .bind::<SqlUuid, _>(origin.request)
    .bind::<Array<SqlUuid>, _>(each(lines, |line| line.id))
    .bind::<Array<Text>, _>(each(lines, |line| line.kind.as_str()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |line| line.subject.customer()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |line| line.subject.deal()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(lines, |line| line.subject.ticket()))
    .bind::<Array<Text>, _>(each(lines, |line| line.details.to_string()));
    Some(insert)
}
