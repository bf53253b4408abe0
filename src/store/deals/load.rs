//! Deals that a batch names.

use super::read::with_links;
use super::row::DealRow;
use crate::store::pool::Conn;
use crate::store::schema::deals;
use crate::store::statement::statement;
use beeiq_core::batch::{DealSnapshot, Keys, KnownDeal};
use beeiq_core::records::deal::Deal;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Of each name so many are looked at: the first are enough to know that there are several, the
/// rest for where the batch itself gives some of them another name.
const LOOKED_AT: i64 = 10;

/// Loads them; those that may be changed are locked, in id order.
pub(in crate::store) fn load(conn: &mut Conn, org: Uuid, keys: &Keys) -> QueryResult<DealSnapshot> {
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
#[diesel(table_name = deals)]
struct KnownRow {
    id: Uuid,
    deal_id: String,
    name_key: String,
    deal_with_id: Option<Uuid>,
}

impl KnownRow {
    fn known(self) -> KnownDeal {
        let Self { id, deal_id, name_key, deal_with_id } = self;
        KnownDeal { id, deal_id, name_key, deal_with: deal_with_id }
    }
}

fn by_deal_id(conn: &mut Conn, org: Uuid, keys: &Keys) -> QueryResult<Vec<KnownRow>> {
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

fn by_name(conn: &mut Conn, org: Uuid, keys: &Keys) -> QueryResult<Vec<KnownRow>> {
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

fn locked(conn: &mut Conn, org: Uuid, ids: &BTreeSet<Uuid>) -> QueryResult<Vec<Deal>> {
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
    with_links(conn, org, rows)
}
