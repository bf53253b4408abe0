//! Tickets as they are read. Who may see one is part of each query (`listener.md` 5): its owner
//! and its group's members, without a group everybody; owner and admin of the org all.

use super::customer_references::{self, CustomerReference};
use super::customers::Filters;
use super::schema::{deals, tags, ticket_tags, tickets, users};
use super::text_search::{containing, words};
use crate::access::Actor;
use crate::store::error::StoreError;
use beeiq_core::records::path_id::PathId;
use beeiq_core::records::ticket::TicketCode;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// A ticket with what it names, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The record itself.
    pub record: TicketRow,
    /// Whose it is.
    pub customer: CustomerReference,
    /// The visible id of the deal that it is linked to.
    pub deal_id: Option<String>,
    /// The names of its tags, in alphabetical order.
    pub tags: Vec<String>,
}

/// A row of `tickets`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = tickets, check_for_backend(Pg))]
#[expect(missing_docs, reason = "the columns, described in the schema's comments")]
pub struct TicketRow {
    pub id: Uuid,
    pub number: i64,
    pub title: Option<String>,
    pub body: String,
    pub customer_id: Uuid,
    pub deal_id: Option<Uuid>,
    pub permit_group_id: Option<Uuid>,
    pub sla_id: Option<Uuid>,
    pub first_response_due_at: Option<DateTime<Utc>>,
    pub resolution_due_at: Option<DateTime<Utc>>,
    pub channel_id: Option<Uuid>,
    pub cus_fields: Value,
    pub owner_id: Uuid,
    pub created_at: DateTime<Utc>,
}

type Rows<'a> = tickets::BoxedQuery<'a, Pg>;
type Condition = Box<dyn BoxableExpression<tickets::table, Pg, SqlType = Nullable<Bool>>>;

/// A page of the tickets that `actor` may see, newest first; `before` is the last id of the page
/// before. E-mail, phone, passport, contactId and name are those of the ticket's customer, as far
/// as the caller may see him.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let mut rows = narrowed(visible(actor), actor, filters);
    for word in words(filters.q.as_deref()) {
        rows = rows.filter(holds_word(&word));
    }
    if let Some(before) = before {
        rows = rows.filter(tickets::id.lt(before));
    }
    let newest = rows.order(tickets::id.desc()).limit(limit);
    let found = newest.select(TicketRow::as_select()).load(conn)?;
    with_names(conn, actor, found)
}

/// The ticket that is addressed, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut PgConnection,
    actor: &Actor,
    id: PathId,
) -> Result<Option<Ticket>, StoreError> {
    let found = addressed(visible(actor), id).select(TicketRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// The id of the ticket that is addressed, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find_id(
    conn: &mut PgConnection,
    actor: &Actor,
    id: PathId,
) -> Result<Option<Uuid>, StoreError> {
    Ok(addressed(visible(actor), id).select(tickets::id).first(conn).optional()?)
}

fn visible<'a>(actor: &Actor) -> Rows<'a> {
    tickets::table.filter(tickets::org_id.eq(actor.org)).filter(visible_to(actor)).into_boxed()
}

fn visible_to(actor: &Actor) -> Condition {
    if actor.sees_all() {
        return Box::new(sql::<Nullable<Bool>>("TRUE"));
    }
    let for_group = tickets::permit_group_id.eq_any(actor.groups.clone());
    Box::new(
        tickets::permit_status
            .eq(1)
            .or(tickets::owner_id.nullable().eq(actor.user()))
            .or(tickets::permit_status.eq(3).and(for_group)),
    )
}

fn addressed(rows: Rows<'_>, id: PathId) -> Rows<'_> {
    match id {
        PathId::Id(id) => rows.filter(tickets::id.eq(id)),
        PathId::Number(number) => rows.filter(tickets::number.eq(number)),
    }
}

/// All filters but the words.
fn narrowed<'a>(mut rows: Rows<'a>, actor: &Actor, filters: &Filters) -> Rows<'a> {
    if let Some(customers) = customer_references::matching(actor, filters) {
        rows = rows.filter(tickets::customer_id.eq_any(customers));
    }
    if let Some(tag) = &filters.tag {
        rows = rows.filter(has_tag(actor.org, tag));
    }
    if let Some(owner) = &filters.owner {
        let owners = users::table
            .filter(users::org_id.eq(actor.org))
            .filter(users::email_key.eq(owner.clone()))
            .select(users::id);
        rows = rows.filter(tickets::owner_id.eq_any(owners));
    }
    if let Some(from) = filters.created_from {
        rows = rows.filter(tickets::created_at.ge(from));
    }
    if let Some(to) = filters.created_to {
        rows = rows.filter(tickets::created_at.le(to));
    }
    rows
}

fn has_tag(org: Uuid, name_key: &str) -> Condition {
    let tagged = ticket_tags::table
        .inner_join(
            tags::table
                .on(tags::org_id.eq(ticket_tags::org_id).and(tags::id.eq(ticket_tags::tag_id))),
        )
        .filter(ticket_tags::org_id.eq(org))
        .filter(tags::name_key.eq(name_key.to_owned()))
        .select(ticket_tags::ticket_id.nullable());
    Box::new(tickets::id.nullable().eq_any(tagged))
}

/// Whether a word is found in a ticket: in its title or text, or as its code.
fn holds_word(word: &str) -> Condition {
    let in_text = tickets::search_key.nullable().like(containing(word));
    match TicketCode::parse(word) {
        Some(TicketCode(number)) => Box::new(in_text.or(tickets::number.eq(number))),
        None => Box::new(in_text),
    }
}

/// Adds what the tickets name, in one query for each table however many there are.
fn with_names(
    conn: &mut PgConnection,
    actor: &Actor,
    records: Vec<TicketRow>,
) -> Result<Vec<Ticket>, StoreError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let mut tags = tag_names(conn, actor.org, &records)?;
    let deal_ids = deal_ids(conn, actor.org, &records)?;
    let customers =
        customer_references::load(conn, actor, records.iter().map(|record| record.customer_id))?;
    records
        .into_iter()
        .map(|record| {
            Ok(Ticket {
                customer: customers.get(&record.customer_id).cloned().ok_or(diesel::NotFound)?,
                deal_id: record.deal_id.and_then(|id| deal_ids.get(&id).cloned()),
                tags: tags.remove(&record.id).unwrap_or_default(),
                record,
            })
        })
        .collect()
}

fn deal_ids(
    conn: &mut PgConnection,
    org: Uuid,
    records: &[TicketRow],
) -> Result<HashMap<Uuid, String>, StoreError> {
    let ids: Vec<Uuid> = records.iter().filter_map(|record| record.deal_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(Uuid, String)> = deals::table
        .filter(deals::org_id.eq(org))
        .filter(deals::id.eq_any(ids))
        .select((deals::id, deals::deal_id))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

fn tag_names(
    conn: &mut PgConnection,
    org: Uuid,
    records: &[TicketRow],
) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
    let tagged: Vec<(Uuid, String)> = ticket_tags::table
        .inner_join(
            tags::table
                .on(tags::org_id.eq(ticket_tags::org_id).and(tags::id.eq(ticket_tags::tag_id))),
        )
        .filter(ticket_tags::org_id.eq(org))
        .filter(ticket_tags::ticket_id.eq_any(records.iter().map(|record| record.id)))
        .order(tags::name_key)
        .select((ticket_tags::ticket_id, tags::name))
        .load(conn)?;
    let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (ticket, name) in tagged {
        names.entry(ticket).or_default().push(name);
    }
    Ok(names)
}
