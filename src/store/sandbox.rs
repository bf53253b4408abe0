//! Emptying an org's records, a bounded piece at a time (`api.md` 6).
//!
//! What is to go is locked first: who refers to it has committed by then, or will find it gone and
//! decide anew. What refers to it and is no part of it is unlinked in the same transaction.

use super::schema::org_settings;
use crate::store::error::StoreError;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// How many rows go at a time.
const PIECE: i64 = 1000;

/// What an org's records are, in the order in which they go. History, notes, tickets, activities, tags of
/// records and idempotency keys go with what they hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Records {
    /// Deliveries, those to be applied later included.
    Deliveries,
    /// Messages, sent or not.
    Messages,
    Deals,
    /// Contacts, accounts and leads.
    Customers,
}

impl Records {
    /// All of them. Deliveries go first: one that waits to be applied would make records of those
    /// that have gone.
    pub(crate) const ALL: [Self; 4] =
        [Self::Deliveries, Self::Messages, Self::Deals, Self::Customers];

    /// The next of them, kept from being referred to.
    const fn lock(self) -> &'static str {
        match self {
            Self::Messages => {
                "SELECT id FROM outbox WHERE org_id = $1 AND created_at <= $2
                 ORDER BY id LIMIT $3 FOR UPDATE"
            }
            Self::Deals => {
                "SELECT id FROM deals WHERE org_id = $1 AND created_at <= $2
                 ORDER BY id LIMIT $3 FOR UPDATE"
            }
            Self::Customers => {
                "SELECT id FROM customers WHERE org_id = $1 AND created_at <= $2
                 ORDER BY id LIMIT $3 FOR UPDATE"
            }
            Self::Deliveries => {
                "SELECT id FROM deliveries WHERE org_id = $1 AND received_at <= $2
                 ORDER BY id LIMIT $3 FOR UPDATE"
            }
        }
    }

    /// What unlinks others from them, and then deletes them with all that hangs on them.
    const fn delete(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &["DELETE FROM outbox WHERE org_id = $1 AND id = ANY ($2)"],
            Self::Deals => &[
                "UPDATE tickets SET deal_id = NULL WHERE org_id = $1 AND deal_id = ANY ($2)",
                "UPDATE activities SET deal_id = NULL WHERE org_id = $1 AND deal_id = ANY ($2)",
                "DELETE FROM deals WHERE org_id = $1 AND id = ANY ($2)",
            ],
            Self::Customers => &[
                "UPDATE deals SET deal_with_id = NULL WHERE org_id = $1 AND deal_with_id = ANY ($2)",
                "UPDATE customers SET company_id = NULL WHERE org_id = $1 AND company_id = ANY ($2)",
                "DELETE FROM customers WHERE org_id = $1 AND id = ANY ($2)",
            ],
            Self::Deliveries => &["DELETE FROM deliveries WHERE org_id = $1 AND id = ANY ($2)"],
        }
    }
}

/// Deletes a piece of those records that were made until then, and tells how many they were: 0 when
/// there are none left.
pub(crate) fn delete_piece(
    conn: &mut PgConnection,
    org: Uuid,
    records: Records,
    until: DateTime<Utc>,
) -> Result<usize, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<Row> = diesel::sql_query(records.lock())
        .bind::<SqlUuid, _>(org)
        .bind::<Timestamptz, _>(until)
        .bind::<BigInt, _>(PIECE)
        .load(conn)?;
    let ids: Vec<Uuid> = rows.into_iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    for statement in records.delete() {
        diesel::sql_query(*statement)
            .bind::<SqlUuid, _>(org)
            .bind::<Array<SqlUuid>, _>(&ids)
            .execute(conn)?;
    }
    Ok(ids.len())
}

/// Gives the org so many trial SMS segments, whatever it had left.
pub(crate) fn set_sms_credits(
    conn: &mut PgConnection,
    org: Uuid,
    credits: i64,
) -> Result<(), StoreError> {
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set(org_settings::sms_credits.eq(credits))
        .execute(conn)?;
    Ok(())
}
