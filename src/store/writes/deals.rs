//! New and changed deals, with what belongs to them.

use super::columns::{Json, UuidArray};
use crate::actions::{NameClaim, PendingDeals};
use crate::domain::deal::Deal;
use crate::domain::text::fold;
use crate::error::StoreError;
use crate::store::statement::{Statement, statement};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, Integer, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use std::collections::HashSet;
use uuid::Uuid;

/// What [`with_records`] binds.
const RECORDS: &str = "unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
     AS new (id, deal_id, name, name_key, value, currency, description, stage_id, category_id, \
         package_id, close_date, deal_with_id, cus_fields, permit_status, permit_group_id, \
         permit_user_ids, created_at, updated_at)";

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
    let sql = format!(
        "INSERT INTO deals (org_id, id, deal_id, name, name_key, value, currency, description, stage_id, \
             category_id, package_id, close_date, deal_with_id, cus_fields, permit_status, \
             permit_group_id, permit_user_ids, created_at, updated_at) \
         SELECT $1, new.id, new.deal_id, new.name, new.name_key, new.value, new.currency, \
             new.description, new.stage_id, new.category_id, new.package_id, new.close_date, \
             new.deal_with_id, new.cus_fields::jsonb, new.permit_status, new.permit_group_id, \
             new.permit_user_ids::uuid[], new.created_at, new.updated_at \
         FROM {RECORDS} \
         ON CONFLICT (org_id, deal_id) DO NOTHING"
    );
    let inserted = with_records(sql, org, &deals).execute(conn)?;
    if inserted == deals.len() { Ok(()) } else { Err(StoreError::Conflict) }
}

/// They were locked when they were loaded.
fn update(conn: &mut PgConnection, org: Uuid, changed: &[Deal]) -> QueryResult<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE deals SET name = new.name, name_key = new.name_key, value = new.value, \
             currency = new.currency, description = new.description, stage_id = new.stage_id, \
             category_id = new.category_id, package_id = new.package_id, \
             close_date = new.close_date, deal_with_id = new.deal_with_id, \
             cus_fields = new.cus_fields::jsonb, permit_status = new.permit_status, \
             permit_group_id = new.permit_group_id, permit_user_ids = new.permit_user_ids::uuid[], \
             updated_at = new.updated_at \
         FROM {RECORDS} \
         WHERE deals.org_id = $1 AND deals.id = new.id"
    );
    with_records(sql, org, &changed.iter().collect::<Vec<_>>()).execute(conn)?;
    Ok(())
}

/// Binds the org and [`RECORDS`].
fn with_records<'q>(sql: String, org: Uuid, deals: &[&'q Deal]) -> Statement<'q> {
    statement(sql)
        .bind::<SqlUuid, _>(org)
        .bind::<Array<SqlUuid>, _>(each(deals, |d| d.id))
        .bind::<Array<Text>, _>(each(deals, |d| d.deal_id.as_str()))
        .bind::<Array<Text>, _>(each(deals, |d| d.name.as_str()))
        .bind::<Array<Text>, _>(each(deals, |d| fold(&d.name)))
        .bind::<Array<Nullable<Numeric>>, _>(each(deals, |d| d.value))
        .bind::<Array<Text>, _>(each(deals, |d| d.currency.as_str()))
        .bind::<Array<Nullable<Text>>, _>(each(deals, |d| d.description.as_deref()))
        .bind::<Array<SqlUuid>, _>(each(deals, |d| d.stage))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(deals, |d| d.category))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(deals, |d| d.package))
        .bind::<Array<Nullable<Timestamptz>>, _>(each(deals, |d| d.close_date))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(deals, |d| d.deal_with))
        .bind::<Array<Text>, _>(each(deals, |d| Json(&d.cus_fields)))
        .bind::<Array<SmallInt>, _>(each(deals, |d| d.permit.status()))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(deals, |d| d.permit.group()))
        .bind::<Array<Text>, _>(each(deals, |d| UuidArray(d.permit.users())))
        .bind::<Array<Timestamptz>, _>(each(deals, |d| d.created_at))
        .bind::<Array<Timestamptz>, _>(each(deals, |d| d.updated_at))
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
    let claimed: Vec<Claimed> = statement(
        "INSERT INTO deal_names (org_id, name_key, deal_id) \
         SELECT $1, new.name_key, new.deal_id FROM unnest($2, $3) AS new (name_key, deal_id) \
         ON CONFLICT (org_id, name_key) DO NOTHING \
         RETURNING name_key",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(claims.iter().map(|claim| claim.name_key.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(claims.iter().map(|claim| claim.deal).collect::<Vec<_>>())
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
    statement(
        "INSERT INTO deal_owners (org_id, deal_id, position, user_id, group_id) \
         SELECT $1, new.deal_id, new.position, new.user_id, new.group_id \
         FROM unnest($2, $3, $4, $5) AS new (deal_id, position, user_id, group_id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(owners.iter().map(|owner| owner.0).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(owners.iter().map(|owner| owner.1).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(owners.iter().map(|owner| owner.2).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(owners.iter().map(|owner| owner.3).collect::<Vec<_>>())
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
    statement(
        "INSERT INTO deal_contacts (org_id, deal_id, customer_id) \
         SELECT $1, new.deal_id, new.customer_id FROM unnest($2, $3) AS new (deal_id, customer_id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(contacts.iter().map(|(deal, _)| *deal).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(contacts.iter().map(|(_, contact)| *contact).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
