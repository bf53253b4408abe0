//! Who comes to hold which identity: where races are settled.

use crate::actions::Claim;
use crate::domain::identity::Identity;
use crate::error::StoreError;
use crate::store::batch_load::{kind_number, world_number};
use crate::store::statement::{Statement, run, statement};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, SmallInt, Text, Uuid as SqlUuid};
use std::collections::HashSet;
use uuid::Uuid;

#[derive(QueryableByName, PartialEq, Eq, Hash)]
struct Inserted {
    #[diesel(sql_type = SmallInt)]
    world: i16,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Text)]
    value: String,
}

/// Deletes what nobody holds any more; whoever held it is locked.
pub(super) fn delete(
    conn: &mut PgConnection,
    org: Uuid,
    released: &[Identity],
) -> Result<(), StoreError> {
    if released.is_empty() {
        return Ok(());
    }
    statement(
        "DELETE FROM customer_identities i USING unnest($2, $3, $4) AS gone (world, kind, value) \
         WHERE i.org_id = $1 AND i.world = gone.world AND i.kind = gone.kind AND i.value = gone.value",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SmallInt>, _>(released.iter().map(|i| world_number(i.world)).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(released.iter().map(|i| kind_number(i.kind)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(released.iter().map(|i| i.value.as_str()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Inserts the claims in sorted order, so that no two batches wait for each other. An exclusive
/// claim that somebody else holds by now is a conflict. Other inserts go in the same round trip.
pub(super) fn insert(
    conn: &mut PgConnection,
    org: Uuid,
    claims: &[Claim],
    others: Vec<Statement<'_>>,
) -> Result<(), StoreError> {
    if claims.is_empty() {
        return run(conn, others);
    }
    let mut claims: Vec<&Claim> = claims.iter().collect();
    claims.sort_unstable();
    let inserted: Vec<Inserted> = statement(
        "INSERT INTO customer_identities (org_id, world, kind, value, customer_id) \
         SELECT $1, new.world, new.kind, new.value, new.customer_id \
         FROM unnest($2, $3, $4, $5) AS new (world, kind, value, customer_id) \
         ON CONFLICT (org_id, world, kind, value) DO NOTHING \
         RETURNING world, kind, value",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SmallInt>, _>(
        claims.iter().map(|c| world_number(c.identity.world)).collect::<Vec<_>>(),
    )
    .bind::<Array<SmallInt>, _>(
        claims.iter().map(|c| kind_number(c.identity.kind)).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(claims.iter().map(|c| c.identity.value.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(claims.iter().map(|c| c.customer).collect::<Vec<_>>())
    .with(others)
    .load(conn)?;
    if inserted.len() == claims.len() {
        return Ok(());
    }
    let inserted: HashSet<Inserted> = inserted.into_iter().collect();
    let lost = claims.iter().filter(|claim| claim.exclusive).any(|claim| {
        !inserted.contains(&Inserted {
            world: world_number(claim.identity.world),
            kind: kind_number(claim.identity.kind),
            value: claim.identity.value.clone(),
        })
    });
    if lost { Err(StoreError::Conflict) } else { Ok(()) }
}
