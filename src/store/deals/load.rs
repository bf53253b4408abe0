//! Deals that a batch names.

use crate::store::deals::{DealRow, contacts, owners};
use crate::store::schema::deals;
use crate::store::statement::statement;
use beeiq_core::batch::{DealSnapshot, Keys, KnownDeal};
use beeiq_core::records::deal::{Deal, DealOwners};
use beeiq_core::records::permit::Permit;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Of each name so many are looked at: the first are enough to know that there are several, the
/// rest for where the batch itself gives some of them another name.
const LOOKED_AT: i64 = 10;

/// Loads them; those that may be changed are locked, in id order.
pub(super) fn load(conn: &mut PgConnection, org: Uuid, keys: &Keys) -> QueryResult<DealSnapshot> {
    let mut known = HashMap::new();
    for deal in by_deal_id(conn, org, keys)?.into_iter().chain(by_name(conn, org, keys)?) {
        known.insert(deal.id, deal.known());
    }
    let may_change: BTreeSet<Uuid> = known
        .values()
        .filter(|deal| {
            keys.for_update.deal_ids.contains(&deal.deal_id)
                || keys.for_update.deal_names.contains(&deal.name_key)
        })
        .map(|deal| deal.id)
        .collect();
    let records = locked(conn, org, &may_change)?;
    // One that is not there any more was erased meanwhile.
    let there: BTreeSet<Uuid> = records.iter().map(|deal| deal.id).collect();
    known.retain(|id, _| !may_change.contains(id) || there.contains(id));
    Ok(DealSnapshot { known: known.into_values().collect(), records })
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    deal_id: String,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    deal_with_id: Option<Uuid>,
}

impl KnownRow {
    fn known(self) -> KnownDeal {
        let Self { id, deal_id, name_key, deal_with_id } = self;
        KnownDeal { id, deal_id, name_key, deal_with: deal_with_id }
    }
}

fn by_deal_id(conn: &mut PgConnection, org: Uuid, keys: &Keys) -> QueryResult<Vec<KnownRow>> {
    if keys.deal_ids.is_empty() {
        return Ok(Vec::new());
    }
    statement(
        "SELECT id, deal_id, name_key, deal_with_id FROM deals \
         WHERE org_id = $1 AND deal_id = ANY($2)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(texts(&keys.deal_ids))
    .load(conn)
}

fn by_name(conn: &mut PgConnection, org: Uuid, keys: &Keys) -> QueryResult<Vec<KnownRow>> {
    if keys.deal_names.is_empty() {
        return Ok(Vec::new());
    }
    statement(
        "SELECT d.id, d.deal_id, d.name_key, d.deal_with_id \
         FROM unnest($2) AS wanted (name_key) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM deals n \
             WHERE n.org_id = $1 AND n.name_key = wanted.name_key \
             ORDER BY n.id LIMIT $3 \
         ) d",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(texts(&keys.deal_names))
    .bind::<BigInt, _>(LOOKED_AT)
    .load(conn)
}

fn texts(keys: &BTreeSet<String>) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

fn locked(conn: &mut PgConnection, org: Uuid, ids: &BTreeSet<Uuid>) -> QueryResult<Vec<Deal>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<DealRow> = deals::table
        .filter(deals::org_id.eq(org))
        .filter(deals::id.eq_any(ids))
        .order(deals::id)
        .select(DealRow::as_select())
        .for_no_key_update()
        .load(conn)?;
    let mut owners = owners(conn, org, ids)?;
    let mut contacts = contacts(conn, org, ids)?;
    rows.into_iter()
        .map(|row| {
            let (owners, contacts) = (owners.remove(&row.id), contacts.remove(&row.id));
            deal(row, owners.unwrap_or_default(), contacts.unwrap_or_default())
        })
        .collect()
}

fn deal(row: DealRow, owners: DealOwners, contacts: BTreeSet<Uuid>) -> QueryResult<Deal> {
    let DealRow {
        id,
        deal_id,
        name,
        value,
        currency,
        description,
        stage_id,
        category_id,
        package_id,
        close_date,
        deal_with_id,
        cus_fields,
        permit_status,
        permit_group_id,
        permit_user_ids,
        created_at,
        updated_at,
    } = row;
    let cus_fields: BTreeMap<Uuid, String> = serde_json::from_value(cus_fields)
        .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))?;
    let users = permit_user_ids.into_iter().flatten().collect();
    Ok(Deal {
        id,
        deal_id,
        name,
        value,
        currency,
        description,
        stage: stage_id,
        category: category_id,
        package: package_id,
        close_date,
        owners,
        cus_fields,
        permit: Permit::from_parts(permit_status, permit_group_id, users),
        deal_with: deal_with_id,
        contacts,
        created_at,
        updated_at,
    })
}
