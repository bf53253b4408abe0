//! New and changed deals, with what belongs to them.

use super::row::columns;
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::statement::statement;
use crate::store::writes::columns::{Rows, each};
use beeiq_core::batch::{NameClaim, PendingDeals};
use beeiq_core::records::deal::Deal;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Uuid as SqlUuid};
use std::collections::HashSet;
use uuid::Uuid;

/// What no change touches.
const FIXED: [&str; 2] = ["deal_id", "created_at"];

/// Writes all changes to deals. A visible id or a name that somebody else took meanwhile is a
/// conflict.
pub(in crate::store) fn write(conn: &mut Conn, org: Uuid, pending: &PendingDeals) -> Result<()> {
    let PendingDeals { created, changed, renamed, claims } = pending;
    insert(conn, org, created)?;
    update(conn, org, changed)?;
    release_names(conn, org, renamed)?;
    claim_names(conn, org, claims)?;
    let changed_ids: Vec<Uuid> = changed.iter().map(|deal| deal.id).collect();
    if !changed_ids.is_empty() {
        for table in ["deal_owners", "deal_contacts"] {
            statement(format!("DELETE FROM {table} WHERE org_id = $1 AND deal_id = ANY($2)"))
                .bind::<SqlUuid, _>(org)
                .bind::<Array<SqlUuid>, _>(&changed_ids)
                .execute(conn)?;
        }
    }
    let deals: Vec<&Deal> = created.iter().chain(changed).collect();
    insert_owners(conn, org, &deals)?;
    insert_contacts(conn, org, &deals)?;
    Ok(())
}

fn insert(conn: &mut Conn, org: Uuid, created: &[Deal]) -> Result<()> {
    if created.is_empty() {
        return Ok(());
    }
    let mut deals: Vec<&Deal> = created.iter().collect();
    deals.sort_by(|a, b| a.deal_id.cmp(&b.deal_id));
    let inserted = columns(org, &deals)
        .insert_or("deals", " ON CONFLICT (org_id, deal_id) DO NOTHING")
        .execute(conn)?;
    if inserted == deals.len() { Ok(()) } else { Err(StoreError::Conflict) }
}

/// They were locked when they were loaded.
fn update(conn: &mut Conn, org: Uuid, changed: &[Deal]) -> QueryResult<()> {
    if !changed.is_empty() {
        let deals: Vec<&Deal> = changed.iter().collect();
        columns(org, &deals).update("deals", &FIXED).execute(conn)?;
    }
    Ok(())
}

fn release_names(conn: &mut Conn, org: Uuid, renamed: &[Uuid]) -> QueryResult<()> {
    if renamed.is_empty() {
        return Ok(());
    }
    statement("DELETE FROM deal_names WHERE org_id = $1 AND deal_id = ANY($2)")
        .bind::<SqlUuid, _>(org)
        .bind::<Array<SqlUuid>, _>(renamed)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = Text)]
    name_key: String,
}

/// The claims come in the order of the names, so that no two batches wait for each other.
fn claim_names(conn: &mut Conn, org: Uuid, claims: &[NameClaim]) -> Result<()> {
    if claims.is_empty() {
        return Ok(());
    }
    let claimed: Vec<Claimed> = Rows::of(org)
        .column::<Text, _>("name_key", each(claims, |claim| claim.name_key.as_str()))
        .column::<SqlUuid, _>("deal_id", each(claims, |claim| claim.deal))
        .insert_or("deal_names", " ON CONFLICT (org_id, name_key) DO NOTHING RETURNING name_key")
        .load(conn)?;
    let claimed: HashSet<String> = claimed.into_iter().map(|claim| claim.name_key).collect();
    let lost = claims.iter().any(|claim| claim.exclusive && !claimed.contains(&claim.name_key));
    if lost { Err(StoreError::Conflict) } else { Ok(()) }
}

fn insert_owners(conn: &mut Conn, org: Uuid, deals: &[&Deal]) -> QueryResult<()> {
    let mut owners: Vec<(Uuid, i32, Option<Uuid>, Option<Uuid>)> = Vec::new();
    for deal in deals {
        let users = deal.owners.users.iter().map(|user| (Some(*user), None));
        let groups = deal.owners.groups.iter().map(|group| (None, Some(*group)));
        let numbered = (0..).zip(users.chain(groups));
        owners.extend(numbered.map(|(position, (user, group))| (deal.id, position, user, group)));
    }
    if owners.is_empty() {
        return Ok(());
    }
    Rows::of(org)
        .column::<SqlUuid, _>("deal_id", each(&owners, |owner| owner.0))
        .column::<Integer, _>("position", each(&owners, |owner| owner.1))
        .column::<Nullable<SqlUuid>, _>("user_id", each(&owners, |owner| owner.2))
        .column::<Nullable<SqlUuid>, _>("group_id", each(&owners, |owner| owner.3))
        .insert("deal_owners")
        .execute(conn)?;
    Ok(())
}

fn insert_contacts(conn: &mut Conn, org: Uuid, deals: &[&Deal]) -> QueryResult<()> {
    let contacts: Vec<(Uuid, Uuid)> = deals
        .iter()
        .flat_map(|deal| deal.contacts.iter().map(|contact| (deal.id, *contact)))
        .collect();
    if contacts.is_empty() {
        return Ok(());
    }
    Rows::of(org)
        .column::<SqlUuid, _>("deal_id", each(&contacts, |(deal, _)| *deal))
        .column::<SqlUuid, _>("customer_id", each(&contacts, |(_, contact)| *contact))
        .insert("deal_contacts")
        .execute(conn)?;
    Ok(())
}
