//! Who comes to hold which identity: where races are settled.

use super::external_ids;
use crate::store::error::{DbError, Result};
use crate::store::pool::Conn;
use crate::store::statement::{Statement, statement};
use crate::store::writes::columns::Rows;
use beeiq_core::batch::Claim;
use beeiq_core::records::identity::{Identity, IdentityKind, World};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::sql_types::{Array, SmallInt, Text, Uuid as SqlUuid};
use uuid::Uuid;

const TABLE: &str = "customer_identities";
const PRIMARY_KEY: &str = "customer_identities_pkey";

/// How the world is numbered in `customer_identities`.
pub(in crate::store) const fn world_number(world: World) -> i16 {
    match world {
        World::Customer => 0,
        World::Lead => 1,
    }
}

/// How the kind is numbered in `customer_identities`.
pub(in crate::store) const fn kind_number(kind: IdentityKind) -> i16 {
    match kind {
        IdentityKind::ContactId => 1,
        IdentityKind::Passport => 2,
        IdentityKind::Email => 3,
        IdentityKind::Phone => 4,
        IdentityKind::CompanyName => 5,
        // In a table of its own (`external_ids`).
        IdentityKind::External => 0,
    }
}

pub(super) fn world_of(number: i16) -> World {
    if number == world_number(World::Lead) { World::Lead } else { World::Customer }
}

pub(in crate::store) fn kind_of(number: i16) -> IdentityKind {
    match number {
        1 => IdentityKind::ContactId,
        2 => IdentityKind::Passport,
        3 => IdentityKind::Email,
        4 => IdentityKind::Phone,
        _ => IdentityKind::CompanyName,
    }
}

/// Deletes what nobody holds any more; whoever held it is locked.
pub(in crate::store) fn delete(conn: &mut Conn, org: Uuid, released: &[Identity]) -> Result<()> {
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
pub(in crate::store) fn insert(org: Uuid, all: &[Claim]) -> Vec<Statement<'_>> {
    let mut claims: Vec<&Claim> =
        all.iter().filter(|claim| claim.identity.kind != IdentityKind::External).collect();
    claims.sort_unstable();
    let external = external_ids::insert(org, all);
    let (exclusive, shared): (Vec<&Claim>, Vec<&Claim>) =
        claims.into_iter().partition(|claim| claim.exclusive);
    let or = " ON CONFLICT (org_id, world, kind, value) DO NOTHING";
    let exclusive = rows(org, &exclusive).map(|rows| rows.insert(TABLE));
    let shared = rows(org, &shared).map(|rows| rows.insert_or(TABLE, or));
    shared.into_iter().chain(exclusive).chain(external).collect()
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
pub(in crate::store) fn is_lost(error: &DbError) -> bool {
    matches!(
        error,
        DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some(PRIMARY_KEY)
    ) || external_ids::is_lost(error)
}
