//! The whole records of customers that a batch may update, locked.

use super::customers::{CustomerRow, kind_of, world_of};
use crate::store::error::StoreError;
use crate::store::schema::{customer_tags, customers, tags};
use crate::store::statement::statement;
use beeiq_core::batch::{CustomerSnapshot, Keys, NameKey, SEVERAL};
use beeiq_core::records::customer::{Customer, CustomerCode, CustomerKind};
use beeiq_core::records::identity::Identity;
use beeiq_core::records::permit::Permit;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Uuid as SqlUuid};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Names of tags.
pub(super) type TagNames = Vec<(Uuid, String)>;

/// Completes what was loaded of customers: who has the names searched, then the records of all that
/// may be updated, locked in id order, and what they hold now that nobody else can change it. Gives
/// back the names of the tags that they have.
///
/// # Errors
/// [`StoreError::Conflict`] where one of them has changed so, before it was locked, that it may not
/// be found by the same any more.
pub(super) fn load(
    conn: &mut PgConnection,
    org: Uuid,
    keys: &Keys,
    snapshot: &mut CustomerSnapshot,
) -> Result<TagNames, StoreError> {
    load_by_name(conn, org, keys, snapshot)?;
    let wanted = wanted(keys, snapshot);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lock(conn, org, &wanted)?;
    if rows.len() < wanted.len() {
        return Err(StoreError::Conflict);
    }
    let identities = load_identities(conn, org, &wanted)?;
    check_holders(&wanted, &identities, snapshot)?;
    check_names(&rows, snapshot)?;
    let (mut tags, tag_names) = load_tags(conn, org, &wanted)?;
    for row in rows {
        let tags = tags.remove(&row.id).unwrap_or_default();
        snapshot.records.push(row.customer(tags)?);
    }
    load_companies(conn, org, snapshot)?;
    snapshot.holders.extend(identities);
    Ok(tag_names)
}

/// Who has the names searched: of each as many as it takes to know that there are several.
fn load_by_name(
    conn: &mut PgConnection,
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
        if let (Some(&key), Some(known)) = (key, customer.known()) {
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
    customer: CustomerRow,
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

fn lock(
    conn: &mut PgConnection,
    org: Uuid,
    wanted: &BTreeSet<Uuid>,
) -> QueryResult<Vec<RecordRow>> {
    customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq_any(wanted))
        .order(customers::id)
        .select(RecordRow::as_select())
        .for_no_key_update()
        .load(conn)
}

fn load_identities(
    conn: &mut PgConnection,
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
) -> Result<(), StoreError> {
    let held: HashSet<&(Identity, Uuid)> = identities.iter().collect();
    let stale =
        snapshot.holders.iter().any(|found| wanted.contains(&found.1) && !held.contains(found));
    if stale { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Whoever was found by a name has to have it still.
fn check_names(rows: &[RecordRow], snapshot: &CustomerSnapshot) -> Result<(), StoreError> {
    let rows: HashMap<Uuid, &RecordRow> = rows.iter().map(|row| (row.id, row)).collect();
    let stale = snapshot.by_name.iter().any(|(key, id)| {
        rows.get(id).is_some_and(|row| {
            row.name_key != key.name || (key.lastname.is_some() && row.lastname_key != key.lastname)
        })
    });
    if stale { Err(StoreError::Conflict) } else { Ok(()) }
}

/// The tags of each, in the order of their ids, and what they are called.
fn load_tags(
    conn: &mut PgConnection,
    org: Uuid,
    wanted: &BTreeSet<Uuid>,
) -> QueryResult<(HashMap<Uuid, Vec<Uuid>>, TagNames)> {
    let rows: Vec<(Uuid, Uuid, String)> = customer_tags::table
        .inner_join(
            tags::table
                .on(tags::org_id.eq(customer_tags::org_id).and(tags::id.eq(customer_tags::tag_id))),
        )
        .filter(customer_tags::org_id.eq(org))
        .filter(customer_tags::customer_id.eq_any(wanted))
        .order(customer_tags::tag_id)
        .select((customer_tags::customer_id, tags::id, tags::name))
        .load(conn)?;
    let mut of_customer: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    let mut names = Vec::with_capacity(rows.len());
    for (customer, tag, name) in rows {
        of_customer.entry(customer).or_default().push(tag);
        names.push((tag, name));
    }
    Ok((of_customer, names))
}

/// What history says of the companies that the records belong to before they are updated.
fn load_companies(
    conn: &mut PgConnection,
    org: Uuid,
    snapshot: &mut CustomerSnapshot,
) -> QueryResult<()> {
    let companies: BTreeSet<Uuid> =
        snapshot.records.iter().filter_map(|record| record.company).collect();
    if companies.is_empty() {
        return Ok(());
    }
    let rows: Vec<CustomerRow> = statement(
        "SELECT id, kind, number, name, name_key, lastname_key FROM customers \
         WHERE org_id = $1 AND id = ANY($2)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(companies.into_iter().collect::<Vec<_>>())
    .load(conn)?;
    snapshot.known.extend(rows.into_iter().filter_map(CustomerRow::known));
    Ok(())
}

/// A row of `customers`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = customers, check_for_backend(Pg))]
struct RecordRow {
    id: Uuid,
    kind: String,
    number: i64,
    contact_id: Option<String>,
    name: String,
    name_key: String,
    lastname: Option<String>,
    lastname_key: Option<String>,
    title: Option<String>,
    passport: Option<String>,
    gender: i16,
    bg_info: Option<String>,
    date_of_birth: Option<NaiveDate>,
    emails: Value,
    phones: Value,
    addresses: Value,
    websites: Value,
    im: Value,
    cus_fields: Value,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    permit_user_ids: Vec<Option<Uuid>>,
    company_id: Option<Uuid>,
    source_id: Option<Uuid>,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl RecordRow {
    fn customer(self, tags: Vec<Uuid>) -> QueryResult<Customer> {
        let kind = CustomerKind::from_word(&self.kind)
            .ok_or_else(|| unreadable(format!("no kind of customer: {}", self.kind)))?;
        let users = self.permit_user_ids.into_iter().flatten().collect();
        let permit = Permit::from_parts(self.permit_status, self.permit_group_id, users);
        Ok(Customer {
            id: self.id,
            code: CustomerCode { kind, number: self.number },
            contact_id: self.contact_id,
            name: self.name,
            lastname: self.lastname,
            title: self.title,
            passport: self.passport,
            gender: self.gender,
            bg_info: self.bg_info,
            date_of_birth: self.date_of_birth,
            emails: read(self.emails)?,
            phones: read(self.phones)?,
            addresses: read(self.addresses)?,
            websites: read(self.websites)?,
            im: read(self.im)?,
            cus_fields: read(self.cus_fields)?,
            permit,
            company: self.company_id,
            source: self.source_id,
            owner: self.owner_id,
            tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn read<T: DeserializeOwned>(column: Value) -> QueryResult<T> {
    serde_json::from_value(column).map_err(unreadable)
}

fn unreadable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> diesel::result::Error {
    diesel::result::Error::DeserializationError(cause.into())
}
