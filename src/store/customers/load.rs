//! Customers that a batch names.
//!
//! Plans are kept (`pool::in_org_with_kept_plans`), and may have been made while the tables were
//! empty. So these look key by key, each in a subquery with a LIMIT, which leaves Postgres no other
//! plan: a join could be made by walking all of the org's customers.

use super::external_ids;
use super::identities::{kind_number, kind_of, world_number, world_of};
use super::known::KnownRow;
use crate::store::pool::Conn;
use crate::store::schema::customer_identities;
use crate::store::statement::statement;
use beeiq_core::batch::{CustomerSnapshot, Keys, KnownCustomer};
use beeiq_core::records::identity::{Identity, IdentityKind};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, SmallInt, Text, Uuid as SqlUuid};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Loads them.
pub(in crate::store) fn load(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
) -> QueryResult<CustomerSnapshot> {
    let mut known = HashMap::new();
    let mut holders = load_holders(conn, org, keys, &mut known)?;
    for (identity, customer) in external_ids::load_holders(conn, org, keys)? {
        holders.push((identity, customer.id));
        known.insert(customer.id, customer);
    }
    let accounts_by_name = load_accounts_by_name(conn, org, keys, &mut known)?;
    load_by_code(conn, org, keys, &mut known)?;
    let known = known.into_values().collect();
    Ok(CustomerSnapshot { known, holders, accounts_by_name, ..CustomerSnapshot::default() })
}

#[derive(QueryableByName)]
#[diesel(table_name = customer_identities)]
struct HolderRow {
    world: i16,
    #[diesel(sql_type = SmallInt)]
    identity_kind: i16,
    value: String,
    #[diesel(embed)]
    customer: KnownRow,
}

fn load_holders(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
    customers: &mut HashMap<Uuid, KnownCustomer>,
) -> QueryResult<Vec<(Identity, Uuid)>> {
    let identities = || keys.identities.iter().filter(|it| it.kind != IdentityKind::External);
    if identities().next().is_none() {
        return Ok(Vec::new());
    }
    let rows: Vec<HolderRow> = statement(
        "SELECT i.world, i.kind AS identity_kind, i.value, c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2, $3, $4) AS wanted (world, kind, value) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customer_identities held \
             WHERE held.org_id = $1 AND held.world = wanted.world \
               AND held.kind = wanted.kind AND held.value = wanted.value LIMIT 1 \
         ) i \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers holder \
             WHERE holder.org_id = $1 AND holder.id = i.customer_id LIMIT 1 \
         ) c",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SmallInt>, _>(identities().map(|i| world_number(i.world)).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(identities().map(|i| kind_number(i.kind)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(identities().map(|i| i.value.as_str()).collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let HolderRow { world, identity_kind, value, customer } = row;
            let holder = customer.id;
            customer.keep(customers);
            (Identity { world: world_of(world), kind: kind_of(identity_kind), value }, holder)
        })
        .collect())
}

/// The two oldest accounts of each name: enough to take the oldest and to know of others.
fn load_accounts_by_name(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
    customers: &mut HashMap<Uuid, KnownCustomer>,
) -> QueryResult<Vec<(String, Uuid)>> {
    if keys.account_names.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<KnownRow> = statement(
        "SELECT c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2) AS wanted (name_key) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers a \
             WHERE a.org_id = $1 AND a.name_key = wanted.name_key AND a.kind = 'account' \
             ORDER BY a.number LIMIT 2 \
         ) c \
         ORDER BY c.number",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(keys.account_names.iter().map(String::as_str).collect::<Vec<_>>())
    .load(conn)?;
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        accounts.push((row.name_key.clone(), row.id));
        row.keep(customers);
    }
    Ok(accounts)
}

/// Those that deals or contacts belong to.
pub(in crate::store) fn load_by_id(
    conn: &mut Conn,
    org: Uuid,
    ids: &BTreeSet<Uuid>,
) -> QueryResult<Vec<KnownCustomer>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<KnownRow> = statement(
        "SELECT c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2) AS wanted (id) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers one WHERE one.org_id = $1 AND one.id = wanted.id LIMIT 1 \
         ) c",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(ids.iter().copied().collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(KnownRow::known).collect())
}

fn load_by_code(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
    customers: &mut HashMap<Uuid, KnownCustomer>,
) -> QueryResult<()> {
    if keys.codes.is_empty() {
        return Ok(());
    }
    let codes = || keys.codes.iter();
    let rows: Vec<KnownRow> = statement(
        "SELECT c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2, $3) AS wanted (kind, number) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers one \
             WHERE one.org_id = $1 AND one.kind = wanted.kind AND one.number = wanted.number LIMIT 1 \
         ) c",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(codes().map(|code| code.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(codes().map(|code| code.number).collect::<Vec<_>>())
    .load(conn)?;
    for row in rows {
        row.keep(customers);
    }
    Ok(())
}
