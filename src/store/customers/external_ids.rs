//! The ids by which other systems know customers (`connections.md` 1, "Who it is"): identities, in a
//! table of their own. In core they are one text, `source:id`.

use super::known::KnownRow;
use crate::store::error::{DbError, Result};
use crate::store::pool::Conn;
use crate::store::schema::customer_external_ids;
use crate::store::statement::{Statement, statement};
use crate::store::writes::columns::Rows;
use beeiq_core::batch::{Claim, Keys, KnownCustomer};
use beeiq_core::records::connection::ExternalId;
use beeiq_core::records::identity::{Identity, IdentityKind, World};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

fn identity(source: &str, external_id: &str) -> Identity {
    let value = format!("{source}:{external_id}");
    Identity::new(World::Customer, IdentityKind::External, value)
}

/// The source and its id.
fn parts(identity: &Identity) -> (&str, &str) {
    identity.value.split_once(':').unwrap_or(("", &identity.value))
}

fn wanted(keys: &Keys) -> Vec<&Identity> {
    keys.identities.iter().filter(|it| it.kind == IdentityKind::External).collect()
}

#[derive(QueryableByName)]
#[diesel(table_name = customer_external_ids)]
struct HolderRow {
    source: String,
    external_id: String,
    #[diesel(embed)]
    customer: KnownRow,
}

/// Who is known by those among the keys.
pub(super) fn load_holders(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
) -> QueryResult<Vec<(Identity, KnownCustomer)>> {
    let wanted = wanted(keys);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (sources, ids): (Vec<&str>, Vec<&str>) = wanted.into_iter().map(parts).unzip();
    let rows: Vec<HolderRow> = statement(
        "SELECT x.source, x.external_id, c.id, c.kind, c.number, c.name, c.name_key, c.lastname_key \
         FROM unnest($2, $3) AS wanted (source, external_id) \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customer_external_ids held \
             WHERE held.org_id = $1 AND held.source = wanted.source \
               AND held.external_id = wanted.external_id LIMIT 1 \
         ) x \
         CROSS JOIN LATERAL ( \
             SELECT * FROM customers holder \
             WHERE holder.org_id = $1 AND holder.id = x.customer_id LIMIT 1 \
         ) c",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(sources)
    .bind::<Array<Text>, _>(ids)
    .load(conn)?;
    let holder = |row: HolderRow| (identity(&row.source, &row.external_id), row.customer.known());
    Ok(rows.into_iter().map(holder).collect())
}

#[derive(QueryableByName)]
struct ErasedRow {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Those among the keys that are of somebody who has been erased.
pub(in crate::store) fn load_erased(
    conn: &mut Conn,
    org: Uuid,
    keys: &Keys,
) -> QueryResult<HashSet<Identity>> {
    let wanted = wanted(keys);
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<ErasedRow> = statement(
        "SELECT wanted.value FROM org_settings settings, unnest($2) AS wanted (value) \
         WHERE settings.org_id = $1 AND EXISTS ( \
             SELECT FROM erased_external_ids gone WHERE gone.org_id = $1 \
               AND gone.digest = sha256(settings.erasure_salt || convert_to(wanted.value, 'UTF8')))",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<Text>, _>(wanted.iter().map(|it| it.value.as_str()).collect::<Vec<_>>())
    .load(conn)?;
    let erased = |row: ErasedRow| Identity::new(World::Customer, IdentityKind::External, row.value);
    Ok(rows.into_iter().map(erased).collect())
}

/// Those of customers who are locked.
pub(super) fn load_of(
    conn: &mut Conn,
    org: Uuid,
    wanted: &BTreeSet<Uuid>,
) -> QueryResult<Vec<(Identity, Uuid)>> {
    use crate::store::schema::customer_external_ids::dsl;
    let rows: Vec<(String, String, Uuid)> = dsl::customer_external_ids
        .filter(dsl::org_id.eq(org))
        .filter(dsl::customer_id.eq_any(wanted))
        .select((dsl::source, dsl::external_id, dsl::customer_id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(source, id, holder)| (identity(&source, &id), holder)).collect())
}

/// Inserts the claims of them, in sorted order, so that no two batches wait for each other.
pub(in crate::store) fn insert(org: Uuid, claims: &[Claim]) -> Option<Statement<'_>> {
    let mut claims: Vec<&Claim> =
        claims.iter().filter(|claim| claim.identity.kind == IdentityKind::External).collect();
    claims.sort_unstable();
    (!claims.is_empty()).then(|| {
        let told = || claims.iter().map(|claim| parts(&claim.identity));
        Rows::of(org)
            .column::<Text, _>("source", told().map(|(source, _)| source).collect())
            .column::<Text, _>("external_id", told().map(|(_, id)| id).collect())
            .column::<SqlUuid, _>(
                "customer_id",
                claims.iter().map(|claim| claim.customer).collect(),
            )
            .insert("customer_external_ids")
    })
}

/// Whether the database refused because somebody else is known by one of them by now.
pub(in crate::store) fn is_lost(error: &DbError) -> bool {
    matches!(
        error,
        DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some("customer_external_ids_pkey")
    )
}

/// Those of customers, as reads show them, in order.
pub(super) fn shown(
    conn: &mut Conn,
    org: Uuid,
    customers: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ExternalId>>> {
    let rows: Vec<(Uuid, String, String)> = customer_external_ids::table
        .filter(customer_external_ids::org_id.eq(org))
        .filter(customer_external_ids::customer_id.eq_any(customers))
        .order((customer_external_ids::source, customer_external_ids::external_id))
        .select((
            customer_external_ids::customer_id,
            customer_external_ids::source,
            customer_external_ids::external_id,
        ))
        .load(conn)?;
    let mut shown: HashMap<Uuid, Vec<ExternalId>> = HashMap::new();
    for (customer, source, id) in rows {
        if let Ok(source) = source.parse() {
            shown.entry(customer).or_default().push(ExternalId { source, id });
        }
    }
    Ok(shown)
}

/// Those of a customer, as identities are compared.
pub(in crate::store) fn values_of(
    conn: &mut Conn,
    org: Uuid,
    customer: Uuid,
) -> QueryResult<Vec<String>> {
    let of = load_of(conn, org, &BTreeSet::from([customer]))?;
    Ok(of.into_iter().map(|(identity, _)| identity.value).collect())
}

/// Leaves of a customer who is erased what it takes not to bring them back.
pub(in crate::store) fn remember_erased(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<()> {
    statement(
        "INSERT INTO erased_external_ids (org_id, digest, erased_at) \
         SELECT x.org_id, \
                sha256(settings.erasure_salt || convert_to(x.source || ':' || x.external_id, 'UTF8')), \
                statement_timestamp() \
         FROM customer_external_ids x JOIN org_settings settings ON settings.org_id = x.org_id \
         WHERE x.org_id = $1 AND settings.org_id = $1 AND x.customer_id = $2 \
         ON CONFLICT (org_id, digest) DO NOTHING",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(customer)
    .execute(conn)?;
    Ok(())
}
