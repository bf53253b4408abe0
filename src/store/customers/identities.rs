//! Who comes to hold which identity: where races are settled.

use super::columns::Rows;
use crate::store::batch_load::{kind_number, world_number};
use crate::store::error::{DbError, StoreError};
use crate::store::statement::{Statement, statement};
use beeiq_core::batch::Claim;
use beeiq_core::records::identity::Identity;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::sql_types::{Array, SmallInt, Text, Uuid as SqlUuid};
use uuid::Uuid;

const TABLE: &str = "customer_identities";
const PRIMARY_KEY: &str = "customer_identities_pkey";

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

/// Inserts the claims, each kind in sorted order, so that no two batches wait for each other.
///
/// Those that are exclusive are inserted without looking first whether somebody else holds them:
/// when they were loaded nobody did. Where somebody was faster the database refuses, which is
/// [`is_lost`].
pub(super) fn insert(org: Uuid, claims: &[Claim]) -> Vec<Statement<'_>> {
    let mut claims: Vec<&Claim> = claims.iter().collect();
    claims.sort_unstable();
    let (exclusive, shared): (Vec<&Claim>, Vec<&Claim>) =
        claims.into_iter().partition(|claim| claim.exclusive);
    let or = " ON CONFLICT (org_id, world, kind, value) DO NOTHING";
    let exclusive = rows(org, &exclusive).map(|rows| rows.insert(TABLE));
    let shared = rows(org, &shared).map(|rows| rows.insert_or(TABLE, or));
    shared.into_iter().chain(exclusive).collect()
}

fn rows<'c>(org: Uuid, claims: &[&'c Claim]) -> Option<Rows<'c>> {
    (!claims.is_empty()).then(|| {
        let identities = || claims.iter().map(|claim| &claim.identity);
        Rows::of(org)
            .column::<SmallInt, _>("world", identities().map(|it| world_number(it.world)).collect())
            .column::<SmallInt, _>("kind", identities().map(|it| kind_number(it.kind)).collect())
            .column::<Text, _>("value", identities().map(|it| it.value.as_str()).collect())
            .column::<SqlUuid, _>(
                "customer_id",
                claims.iter().map(|claim| claim.customer).collect(),
            )
    })
}

/// Whether the database refused because somebody else holds an identity by now.
pub(super) fn is_lost(error: &DbError) -> bool {
    matches!(
        error,
        DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some(PRIMARY_KEY)
    )
}
