//! Deals as they are read.
//!
//! What a permit says is part of each query (`listener.md` 5): "me" is every owner of the deal, the
//! members of an owning group included.

use super::row::DealRow;
use crate::actor::Actor;
use crate::store::customers::references::{self as customers, CustomerReference};
use crate::store::error::StoreError;
use crate::store::listing::{Filters, for_users, listed};
use crate::store::schema::{deal_contacts, deal_owners, deals, users};
use crate::store::text_search::{containing, words};
use beeiq_core::records::deal::{Deal, DealOwners};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A deal with the customers that it names, as far as the caller may see them.
pub(crate) struct FoundDeal {
    pub(crate) record: Deal,
    pub(crate) deal_with: Option<CustomerReference>,
    /// Oldest first.
    pub(crate) contacts: Vec<CustomerReference>,
}

listed!(deals, DealRow);
for_users!(deals);

/// A page of the deals that `actor` may see, newest first; `before` is the last id of the page
/// before. The owner is a user who owns the deal themselves, and not by a group. Deals have no tags
/// and no identifiers.
pub(crate) fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FoundDeal>, StoreError> {
    let mut rows = visible(actor);
    if let Some(name) = &filters.name {
        rows = rows.filter(deals::name_key.eq(name.clone()));
    }
    if let Some(owner) = &filters.owner {
        let is_user = users::org_id
            .eq(deal_owners::org_id)
            .and(users::id.nullable().eq(deal_owners::user_id));
        let own = deal_owners::table
            .inner_join(users::table.on(is_user))
            .filter(deal_owners::org_id.eq(actor.org))
            .filter(users::email_key.eq(owner.clone()))
            .select(deal_owners::deal_id);
        rows = rows.filter(deals::id.eq_any(own));
    }
    for word in words(filters.q.as_deref()) {
        let pattern = containing(&word);
        let in_id = sql::<Bool>("lower(deals.deal_id) LIKE ").bind::<Text, _>(pattern.clone());
        rows = rows.filter(deals::name_key.like(pattern).or(in_id));
    }
    let found = page(conn, rows, filters, before, limit)?;
    with_names(conn, actor, found)
}

/// The deal of that id or visible id, if `actor` may see it.
pub(crate) fn find(
    conn: &mut PgConnection,
    actor: &Actor,
    address: &str,
) -> Result<Option<FoundDeal>, StoreError> {
    let found = addressed(visible(actor), address).select(DealRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// Its id alone.
pub(crate) fn find_id(
    conn: &mut PgConnection,
    actor: &Actor,
    address: &str,
) -> Result<Option<Uuid>, StoreError> {
    Ok(addressed(visible(actor), address).select(deals::id).first(conn).optional()?)
}

/// A member sees what they or a group of theirs own, and what the permit admits them to.
pub(super) fn visible_to(actor: &Actor) -> Condition {
    let own = deal_owners::table
        .filter(deal_owners::org_id.eq(actor.org))
        .filter(
            deal_owners::user_id
                .eq(actor.user())
                .or(deal_owners::group_id.eq_any(actor.groups.clone())),
        )
        .select(deal_owners::deal_id);
    by_permit(actor, Box::new(is_for_user(actor).or(deals::id.eq_any(own))))
}

/// At most one: where an id and somebody's visible id are the same, that of the id.
pub(super) fn addressed<'a>(rows: Rows<'a>, address: &'a str) -> Rows<'a> {
    match Uuid::try_parse(address) {
        Ok(id) => rows
            .filter(deals::id.eq(id).or(deals::deal_id.eq(address)))
            .order(deals::id.eq(id).desc())
            .limit(1),
        Err(_) => rows.filter(deals::deal_id.eq(address)),
    }
}

/// Adds what the deals name, in one query for each table however many deals there are.
fn with_names(
    conn: &mut PgConnection,
    actor: &Actor,
    rows: Vec<DealRow>,
) -> Result<Vec<FoundDeal>, StoreError> {
    let records = with_links(conn, actor.org, rows)?;
    let named = records.iter().flat_map(|deal| deal.contacts.iter().copied().chain(deal.deal_with));
    let customers = customers::load(conn, actor, named)?;
    let customer = |id: &Uuid| customers.get(id).cloned();
    Ok(records
        .into_iter()
        .map(|record| FoundDeal {
            deal_with: record.deal_with.as_ref().and_then(customer),
            contacts: record.contacts.iter().filter_map(customer).collect(),
            record,
        })
        .collect())
}

/// The records: the rows with their owners and contacts.
pub(super) fn with_links(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Vec<DealRow>,
) -> QueryResult<Vec<Deal>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut owners = owners(conn, org, &ids)?;
    let mut contacts = contacts(conn, org, &ids)?;
    let records = rows.into_iter().map(|row| {
        let (owners, contacts) = (owners.remove(&row.id), contacts.remove(&row.id));
        row.into_record(owners.unwrap_or_default(), contacts.unwrap_or_default())
    });
    Ok(records.collect())
}

fn owners(
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

fn contacts(
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
