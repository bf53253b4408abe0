//! The whole records of customers that a batch may update, locked.

use super::conditions::tags_of;
use super::external_ids;
use super::identities::{kind_of, world_of};
use super::known::KnownRow;
use super::load::load_by_id;
use super::row::CustomerRow;
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::schema::customers;
use crate::store::statement::statement;
use beeiq_core::batch::{CustomerSnapshot, Keys, KnownCustomer, NameKey, SEVERAL};
use beeiq_core::records::customer::{Customer, CustomerKind};
use beeiq_core::records::identity::{Identity, IdentityKind};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Uuid as SqlUuid};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Names of tags.
pub(in crate::store) type TagNames = Vec<(Uuid, String)>;

/// Completes what was loaded of customers: who has the names searched, then the records of all that
/// may be updated, locked in id order, and what they hold now that nobody else can change it. Gives
/// back the names of the tags that they have.
///
/// # Errors
/// [`StoreError::Conflict`] where one of them has changed so, before it was locked, that it may not
/// be found by the same any more.
pub(in crate::store) fn load(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
    snapshot: &mut CustomerSnapshot,
) -> Result<TagNames> {
    load_by_name(conn, org, keys, snapshot)?;
    let wanted = wanted(keys, snapshot);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lock(conn, org, &wanted)?;
    if rows.len() < wanted.len() {
        return Err(StoreError::Conflict);
    }
    let mut identities = load_identities(conn, org, &wanted)?;
    if snapshot.holders.iter().any(|(identity, _)| identity.kind == IdentityKind::External) {
        identities.extend(external_ids::load_of(conn, org, &wanted)?);
    }
    check_holders(&wanted, &identities, snapshot)?;
    let mut tags = tags_of(conn, org, wanted)?;
    let names = tags.values().flatten().cloned().collect();
    for row in rows {
        let mut tags = tags.remove(&row.id).unwrap_or_default();
        tags.sort_unstable();
        snapshot.records.push(row.into_record(tags.into_iter().map(|(tag, _)| tag).collect()));
    }
    check_names(snapshot)?;
    let companies = snapshot.records.iter().filter_map(|record| record.company).collect();
    snapshot.known.extend(load_by_id(conn, org, &companies)?);
    snapshot.holders.extend(identities);
    Ok(names)
}

/// Who has the names searched: of each as many as it takes to know that there are several.
fn load_by_name(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
    snapshot: &mut CustomerSnapshot,
) -> QueryResult<()> {
    if keys.names.is_empty() {
        return Ok(());
    }
    let names: Vec<&NameKey> = keys.names.iter().collect();
    let kinds = |kind: fn(&[CustomerKind]) -> Option<&CustomerKind>| -> Vec<&str> {
        names.iter().filter_map(|key| kind(key.kinds)).map(|kind| kind.as_str()).collect()
    };
    let rows: Vec<NamedRow> = statement(
        "SELECT wanted.place, c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2, $3, $4, $5, $6) AS wanted (place, kind, or_kind, name_key, lastname_key) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers n \
             WHERE n.org_id = $1 AND n.name_key = wanted.name_key \
               AND n.kind IN (wanted.kind, wanted.or_kind) \
               AND (wanted.lastname_key IS NULL OR n.lastname_key = wanted.lastname_key) \
             LIMIT $7 \
         ) c",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Integer>, _>((0..).take(names.len()).collect::<Vec<i32>>())
    .bind::<Array<Text>, _>(kinds(<[CustomerKind]>::first))
    .bind::<Array<Text>, _>(kinds(<[CustomerKind]>::last))
    .bind::<Array<Text>, _>(names.iter().map(|key| key.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        names.iter().map(|key| key.lastname.as_deref()).collect::<Vec<_>>(),
    )
    .bind::<BigInt, _>(i64::try_from(SEVERAL).unwrap_or(i64::MAX))
    .load(conn)?;
    for NamedRow { place, customer } in rows {
        let key = usize::try_from(place).ok().and_then(|place| names.get(place));
        if let Some(&key) = key {
            let known = customer.known();
            snapshot.by_name.push((key.clone(), known.id));
            snapshot.known.push(known);
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct NamedRow {
    #[diesel(sql_type = Integer)]
    place: i32,
    #[diesel(embed)]
    customer: KnownRow,
}

/// All that something in the batch may update, in the order in which they are locked.
fn wanted(keys: &Keys, snapshot: &CustomerSnapshot) -> BTreeSet<Uuid> {
    let mut of_name: HashMap<&NameKey, Vec<Uuid>> = HashMap::new();
    for (key, id) in &snapshot.by_name {
        of_name.entry(key).or_default().push(*id);
    }
    let by_name = of_name.into_values().filter(|named| named.len() < SEVERAL).flatten();
    let by_identity = snapshot
        .holders
        .iter()
        .filter(|(identity, _)| keys.for_update.identities.contains(identity))
        .map(|(_, holder)| *holder);
    let by_code = snapshot
        .known
        .iter()
        .filter(|known| keys.for_update.codes.contains(&known.code))
        .map(|known| known.id);
    by_name.chain(by_identity).chain(by_code).collect()
}

fn lock(conn: &mut Conn, org: Uuid, wanted: &BTreeSet<Uuid>) -> QueryResult<Vec<CustomerRow>> {
    customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq_any(wanted))
        .order(customers::id)
        .select(CustomerRow::as_select())
        .for_no_key_update()
        .load(conn)
}

fn load_identities(
    conn: &mut Conn,
    org: Uuid,
    wanted: &BTreeSet<Uuid>,
) -> QueryResult<Vec<(Identity, Uuid)>> {
    use crate::store::schema::customer_identities::dsl;
    let rows: Vec<(i16, i16, String, Uuid)> = dsl::customer_identities
        .filter(dsl::org_id.eq(org))
        .filter(dsl::customer_id.eq_any(wanted))
        .select((dsl::world, dsl::kind, dsl::value, dsl::customer_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(world, kind, value, holder)| {
            (Identity { world: world_of(world), kind: kind_of(kind), value }, holder)
        })
        .collect())
}

/// Whoever was found by an identity has to hold it still.
fn check_holders(
    wanted: &BTreeSet<Uuid>,
    identities: &[(Identity, Uuid)],
    snapshot: &CustomerSnapshot,
) -> Result<()> {
    let held: HashSet<&(Identity, Uuid)> = identities.iter().collect();
    let stale =
        snapshot.holders.iter().any(|found| wanted.contains(&found.1) && !held.contains(found));
    if stale { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Whoever was found by a name has to have it still.
fn check_names(snapshot: &CustomerSnapshot) -> Result<()> {
    let records: HashMap<Uuid, &Customer> =
        snapshot.records.iter().map(|record| (record.id, record)).collect();
    let stale = snapshot.by_name.iter().any(|(key, id)| {
        records.get(id).is_some_and(|record| !KnownCustomer::of(record).has_name(key))
    });
    if stale { Err(StoreError::Conflict) } else { Ok(()) }
}
