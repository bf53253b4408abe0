//! New history lines.

use super::Origin;
use crate::actions::{HistoryLine, Subject};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(
    conn: &mut PgConnection,
    org: Uuid,
    lines: &[HistoryLine],
    origin: Origin<'_>,
) -> QueryResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "INSERT INTO history (org_id, id, at, kind, customer_id, deal_id, actor_id, listener_id, request_id, details) \
         SELECT $1, new.id, $2, new.kind, new.customer_id, new.deal_id, $3, $4, $5, new.details::jsonb \
         FROM unnest($6, $7, $8, $9, $10) AS new (id, kind, customer_id, deal_id, details)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Timestamptz, _>(origin.at)
    .bind::<SqlUuid, _>(origin.sender)
    .bind::<SqlUuid, _>(origin.listener)
    .bind::<SqlUuid, _>(origin.request)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lines.iter().map(|line| line.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        lines.iter().map(|line| customer(line.subject)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(
        lines.iter().map(|line| deal(line.subject)).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(lines.iter().map(|line| line.details.to_string()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

const fn customer(subject: Subject) -> Option<Uuid> {
    match subject {
        Subject::Customer(id) => Some(id),
        Subject::Deal(_) => None,
    }
}

const fn deal(subject: Subject) -> Option<Uuid> {
    match subject {
        Subject::Deal(id) => Some(id),
        Subject::Customer(_) => None,
    }
}
