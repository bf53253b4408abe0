//! Deals as they are read.
//!
//! What a permit says is part of each query (`listener.md` 5): "me" is every owner of the deal, the
//! members of an owning group included.

use super::customer_references::{self, CustomerReference};
use super::schema::{deal_contacts, deal_owners, deals, users};
use super::text_search::containing;
use crate::access::Actor;
use crate::store::error::StoreError;
use beeiq_core::records::deal::DealOwners;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A deal with what it names, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct Deal {
    /// The record itself.
    pub record: DealRow,
    /// Who owns it.
    pub owners: DealOwners,
    /// The customer that it is with.
    pub deal_with: Option<CustomerReference>,
    /// Related customers, oldest first.
    pub contacts: Vec<CustomerReference>,
}

/// A row of `deals`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = deals, check_for_backend(Pg))]
#[expect(missing_docs, reason = "the columns, described in the schema's comments")]
pub struct DealRow {
    pub id: Uuid,
    pub deal_id: String,
    pub name: String,
    pub value: Option<Decimal>,
    pub currency: String,
    pub description: Option<String>,
    pub stage_id: Uuid,
    pub category_id: Option<Uuid>,
    pub package_id: Option<Uuid>,
    pub close_date: Option<DateTime<Utc>>,
    pub deal_with_id: Option<Uuid>,
    pub cus_fields: Value,
    pub permit_status: i16,
    pub permit_group_id: Option<Uuid>,
    pub permit_user_ids: Vec<Option<Uuid>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a list of deals is narrowed to (`api.md` 5); all that are given hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DealFilters {
    /// Deals of this folded name.
    pub name: Option<String>,
    /// Deals that the user owns himself whose e-mail, in the form in which it is compared, this is.
    pub owner: Option<String>,
    /// Deals created then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Deals created then or earlier.
    pub created_to: Option<DateTime<Utc>>,
    /// Deals with each of these folded words in the name or the visible id.
    pub words: Vec<String>,
}

type Rows<'a> = deals::BoxedQuery<'a, Pg>;
type Condition = Box<dyn BoxableExpression<deals::table, Pg, SqlType = Nullable<Bool>>>;

/// A page of the deals that `actor` may see, newest first; `before` is the last id of the page
/// before.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    filters: &DealFilters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Deal>, StoreError> {
    let mut rows = narrowed(visible(actor), actor.org, filters);
    if let Some(before) = before {
        rows = rows.filter(deals::id.lt(before));
    }
    let found = rows.order(deals::id.desc()).limit(limit).select(DealRow::as_select());
    let found = found.load(conn)?;
    with_names(conn, actor, found)
}

/// The deal of that id or visible id, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut PgConnection,
    actor: &Actor,
    address: &str,
) -> Result<Option<Deal>, StoreError> {
    let found = addressed(visible(actor), address).select(DealRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// The id of the deal of that id or visible id, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find_id(
    conn: &mut PgConnection,
    actor: &Actor,
    address: &str,
) -> Result<Option<Uuid>, StoreError> {
    Ok(addressed(visible(actor), address).select(deals::id).first(conn).optional()?)
}

fn visible<'a>(actor: &Actor) -> Rows<'a> {
    deals::table.filter(deals::org_id.eq(actor.org)).filter(visible_to(actor)).into_boxed()
}

/// Whether `actor` may read: owner and admin everything, a member what he or a group of his owns,
/// and what the permit admits him to.
pub(super) fn visible_to(actor: &Actor) -> Condition {
    if actor.sees_all() {
        return Box::new(sql::<Nullable<Bool>>("TRUE"));
    }
    let own = deal_owners::table
        .filter(deal_owners::org_id.eq(actor.org))
        .filter(
            deal_owners::user_id
                .eq(actor.user())
                .or(deal_owners::group_id.eq_any(actor.groups.clone())),
        )
        .select(deal_owners::deal_id);
    let for_group = deals::permit_group_id.eq_any(actor.groups.clone());
    let for_user = deals::permit_user_ids.overlaps_with(vec![actor.user()]);
    Box::new(
        deals::permit_status
            .eq(1)
            .or(deals::id.eq_any(own))
            .or(deals::permit_status.eq(4).and(for_user))
            .or(deals::permit_status.eq(3).and(for_group)),
    )
}

/// At most one: where an id and somebody's visible id are the same, that of the id.
fn addressed<'a>(rows: Rows<'a>, address: &'a str) -> Rows<'a> {
    match Uuid::try_parse(address) {
        Ok(id) => rows
            .filter(deals::id.eq(id).or(deals::deal_id.eq(address)))
            .order(deals::id.eq(id).desc())
            .limit(1),
        Err(_) => rows.filter(deals::deal_id.eq(address)),
    }
}

fn narrowed<'a>(rows: Rows<'a>, org: Uuid, filters: &DealFilters) -> Rows<'a> {
    let DealFilters { name, owner, created_from, created_to, words } = filters.clone();
    let mut rows = rows;
    if let Some(name) = name {
        rows = rows.filter(deals::name_key.eq(name));
    }
    if let Some(owner) = owner {
        let is_user = users::org_id
            .eq(deal_owners::org_id)
            .and(users::id.nullable().eq(deal_owners::user_id));
        let own = deal_owners::table
            .inner_join(users::table.on(is_user))
            .filter(deal_owners::org_id.eq(org))
            .filter(users::email_key.eq(owner))
            .select(deal_owners::deal_id);
        rows = rows.filter(deals::id.eq_any(own));
    }
    if let Some(from) = created_from {
        rows = rows.filter(deals::created_at.ge(from));
    }
    if let Some(to) = created_to {
        rows = rows.filter(deals::created_at.le(to));
    }
    for word in words {
        let pattern = containing(&word);
        let in_id = sql::<Bool>("lower(deals.deal_id) LIKE ").bind::<Text, _>(pattern.clone());
        rows = rows.filter(deals::name_key.like(pattern).or(in_id));
    }
    rows
}

/// Adds what the deals name, in one query for each table however many deals there are.
fn with_names(
    conn: &mut PgConnection,
    actor: &Actor,
    records: Vec<DealRow>,
) -> Result<Vec<Deal>, StoreError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<Uuid> = records.iter().map(|record| record.id).collect();
    let mut owners = owners(conn, actor.org, &ids)?;
    let mut contacts = contacts(conn, actor.org, &ids)?;
    let related = contacts.values().flatten().copied();
    let named = related.chain(records.iter().filter_map(|record| record.deal_with_id));
    let customers = customer_references::load(conn, actor, named)?;
    Ok(records
        .into_iter()
        .map(|record| Deal {
            owners: owners.remove(&record.id).unwrap_or_default(),
            deal_with: record.deal_with_id.and_then(|id| customers.get(&id).cloned()),
            contacts: contacts
                .remove(&record.id)
                .into_iter()
                .flatten()
                .filter_map(|id| customers.get(&id).cloned())
                .collect(),
            record,
        })
        .collect())
}

/// The owners of each of these deals.
///
/// # Errors
/// When the database fails.
pub(super) fn owners(
    conn: &mut PgConnection,
    org: Uuid,
    ids: &BTreeSet<Uuid>,
) -> QueryResult<HashMap<Uuid, DealOwners>> {
    let rows: Vec<(Uuid, Option<Uuid>, Option<Uuid>)> = deal_owners::table
        .filter(deal_owners::org_id.eq(org))
        .filter(deal_owners::deal_id.eq_any(ids))
        .order((deal_owners::deal_id, deal_owners::position))
        .select((deal_owners::deal_id, deal_owners::user_id, deal_owners::group_id))
        .load(conn)?;
    let mut owners: HashMap<Uuid, DealOwners> = HashMap::new();
    for (deal, user, group) in rows {
        let owners = owners.entry(deal).or_default();
        owners.users.extend(user);
        owners.groups.extend(group);
    }
    Ok(owners)
}

/// The related customers of each of these deals.
///
/// # Errors
/// When the database fails.
pub(super) fn contacts(
    conn: &mut PgConnection,
    org: Uuid,
    ids: &BTreeSet<Uuid>,
) -> QueryResult<HashMap<Uuid, BTreeSet<Uuid>>> {
    let rows: Vec<(Uuid, Uuid)> = deal_contacts::table
        .filter(deal_contacts::org_id.eq(org))
        .filter(deal_contacts::deal_id.eq_any(ids))
        .select((deal_contacts::deal_id, deal_contacts::customer_id))
        .load(conn)?;
    let mut contacts: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for (deal, customer) in rows {
        contacts.entry(deal).or_default().insert(customer);
    }
    Ok(contacts)
}
