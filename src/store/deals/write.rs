//! New and changed deals, with what belongs to them.

use super::columns::{self, Rows, object};
use crate::store::error::StoreError;
use crate::store::statement::statement;
use beeiq_core::batch::{NameClaim, PendingDeals};
use beeiq_core::records::deal::Deal;
use beeiq_core::values::text::fold;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, Integer, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use std::collections::HashSet;
use uuid::Uuid;

/// What no change touches.
const FIXED: [&str; 2] = ["deal_id", "created_at"];

/// Writes all changes to deals. A visible id or a name that somebody else took meanwhile is a
/// conflict.
pub(super) fn write(
    conn: &mut PgConnection,
    org: Uuid,
    pending: &PendingDeals,
) -> Result<(), StoreError> {
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

fn insert(conn: &mut PgConnection, org: Uuid, created: &[Deal]) -> Result<(), StoreError> {
    if created.is_empty() {
        return Ok(());
    }
    let mut deals: Vec<&Deal> = created.iter().collect();
    deals.sort_by(|a, b| a.deal_id.cmp(&b.deal_id));
    let inserted = rows(org, &deals)
        .insert_or("deals", " ON CONFLICT (org_id, deal_id) DO NOTHING")
        .execute(conn)?;
    if inserted == deals.len() { Ok(()) } else { Err(StoreError::Conflict) }
}

/// They were locked when they were loaded.
fn update(conn: &mut PgConnection, org: Uuid, changed: &[Deal]) -> QueryResult<()> {
    if !changed.is_empty() {
        let deals: Vec<&Deal> = changed.iter().collect();
        rows(org, &deals).update("deals", &FIXED).execute(conn)?;
    }
    Ok(())
}

fn rows<'d>(org: Uuid, deals: &[&'d Deal]) -> Rows<'d> {
    Rows::of(org)
        .column::<SqlUuid, _>("id", each(deals, |d| d.id))
        .column::<Text, _>("deal_id", each(deals, |d| d.deal_id.as_str()))
        .column::<Text, _>("name", each(deals, |d| d.name.as_str()))
        .column::<Text, _>("name_key", each(deals, |d| fold(&d.name)))
        .column::<Nullable<Numeric>, _>("value", each(deals, |d| d.value))
        .column::<Text, _>("currency", each(deals, |d| d.currency.as_str()))
        .column::<Nullable<Text>, _>("description", each(deals, |d| d.description.as_deref()))
        .column::<SqlUuid, _>("stage_id", each(deals, |d| d.stage))
        .column::<Nullable<SqlUuid>, _>("category_id", each(deals, |d| d.category))
        .column::<Nullable<SqlUuid>, _>("package_id", each(deals, |d| d.package))
        .column::<Nullable<Timestamptz>, _>("close_date", each(deals, |d| d.close_date))
        .column::<Nullable<SqlUuid>, _>("deal_with_id", each(deals, |d| d.deal_with))
        .json("cus_fields", "{}", each(deals, |d| object(&d.cus_fields)))
        .column::<SmallInt, _>("permit_status", each(deals, |d| d.permit.status()))
        .column::<Nullable<SqlUuid>, _>("permit_group_id", each(deals, |d| d.permit.group()))
        .id_lists("permit_user_ids", each(deals, |d| d.permit.users()))
        .column::<Timestamptz, _>("created_at", each(deals, |d| d.created_at))
        .column::<Timestamptz, _>("updated_at", each(deals, |d| d.updated_at))
}

/// A column: the same part of each deal.
fn each<'d, T>(deals: &[&'d Deal], part: impl Fn(&'d Deal) -> T) -> Vec<T> {
    deals.iter().map(|deal| part(deal)).collect()
}

fn release_names(conn: &mut PgConnection, org: Uuid, renamed: &[Uuid]) -> QueryResult<()> {
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
fn claim_names(conn: &mut PgConnection, org: Uuid, claims: &[NameClaim]) -> Result<(), StoreError> {
    if claims.is_empty() {
        return Ok(());
    }
    let claimed: Vec<Claimed> = Rows::of(org)
        .column::<Text, _>("name_key", columns::each(claims, |claim| claim.name_key.as_str()))
        .column::<SqlUuid, _>("deal_id", columns::each(claims, |claim| claim.deal))
        .insert_or("deal_names", " ON CONFLICT (org_id, name_key) DO NOTHING RETURNING name_key")
        .load(conn)?;
    let claimed: HashSet<String> = claimed.into_iter().map(|claim| claim.name_key).collect();
    let lost = claims.iter().any(|claim| claim.exclusive && !claimed.contains(&claim.name_key));
    if lost { Err(StoreError::Conflict) } else { Ok(()) }
}

fn insert_owners(conn: &mut PgConnection, org: Uuid, deals: &[&Deal]) -> QueryResult<()> {
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
        .column::<SqlUuid, _>("deal_id", columns::each(&owners, |owner| owner.0))
        .column::<Integer, _>("position", columns::each(&owners, |owner| owner.1))
        .column::<Nullable<SqlUuid>, _>("user_id", columns::each(&owners, |owner| owner.2))
        .column::<Nullable<SqlUuid>, _>("group_id", columns::each(&owners, |owner| owner.3))
        .insert("deal_owners")
        .execute(conn)?;
    Ok(())
}

fn insert_contacts(conn: &mut PgConnection, org: Uuid, deals: &[&Deal]) -> QueryResult<()> {
    let contacts: Vec<(Uuid, Uuid)> = deals
        .iter()
        .flat_map(|deal| deal.contacts.iter().map(|contact| (deal.id, *contact)))
        .collect();
    if contacts.is_empty() {
        return Ok(());
    }
    Rows::of(org)
        .column::<SqlUuid, _>("deal_id", columns::each(&contacts, |(deal, _)| *deal))
        .column::<SqlUuid, _>("customer_id", columns::each(&contacts, |(_, contact)| *contact))
        .insert("deal_contacts")
        .execute(conn)?;
    Ok(())
}
