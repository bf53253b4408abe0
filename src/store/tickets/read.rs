//! Tickets as they are read. Who may see one is part of each query (`listener.md` 5): its owner
//! and its group's members, without a group everybody; owner and admins of the org all.

use super::row::TicketRow;
use crate::actor::Actor;
use crate::store::customers::references::{self as customers, CustomerReference};
use crate::store::error::Result;
use crate::store::listing::{Filters, listed, numbered, owned};
use crate::store::pool::Conn;
use crate::store::schema::{deals, ticket_tags, tickets};
use crate::store::text_search::{containing, words};
use beeiq_core::records::path_id::PathId;
use beeiq_core::records::ticket::{Ticket, TicketCode};
use diesel::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

/// A ticket with what it names, as far as the caller may see it.
pub(crate) struct FoundTicket {
    pub(crate) record: Ticket,
    pub(crate) customer: CustomerReference,
    /// The visible id of the deal that it is linked to.
    pub(crate) deal_id: Option<String>,
    /// In alphabetical order.
    pub(crate) tags: Vec<String>,
}

listed!(tickets, TicketRow);
owned!(tickets);
numbered!(tickets, ticket_tags, ticket_id);

/// A page of the tickets that `actor` may see, newest first; `before` is the last id of the page
/// before. Identifiers and name are those of the ticket's customer, as far as the caller may see
/// them.
pub(crate) fn list(
    conn: &mut Conn,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FoundTicket>> {
    let mut rows = visible(actor);
    if let Some(customers) = customers::matching(actor, filters) {
        rows = rows.filter(tickets::customer_id.eq_any(customers));
    }
    if let Some(tag) = &filters.tag {
        rows = rows.filter(has_tag(actor.org, tag));
    }
    if let Some(owner) = &filters.owner {
        rows = rows.filter(is_owned_by(actor.org, owner));
    }
    for word in words(filters.q.as_deref()) {
        rows = rows.filter(holds_word(&word));
    }
    let found = page(conn, rows, filters, before, limit)?;
    with_names(conn, actor, found)
}

/// The ticket that is addressed, if `actor` may see it.
pub(crate) fn find(conn: &mut Conn, actor: &Actor, id: PathId) -> Result<Option<FoundTicket>> {
    let found = addressed(visible(actor), id).select(TicketRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// Its id alone.
pub(crate) fn find_id(conn: &mut Conn, actor: &Actor, id: PathId) -> Result<Option<Uuid>> {
    Ok(addressed(visible(actor), id).select(tickets::id).first(conn).optional()?)
}

fn visible_to(actor: &Actor) -> Condition {
    by_permit(actor, is_own(actor))
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
fn with_names(conn: &mut Conn, actor: &Actor, rows: Vec<TicketRow>) -> Result<Vec<FoundTicket>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut tags = tags_of(conn, actor.org, rows.iter().map(|row| row.id))?;
    let tickets = rows.into_iter().map(|row| {
        let (ids, names) = tags.remove(&row.id).unwrap_or_default().into_iter().unzip();
        (row.into_record(ids), names)
    });
    let tickets: Vec<(Ticket, Vec<String>)> = tickets.collect();
    let records = || tickets.iter().map(|(record, _)| record);
    let deal_ids = deal_ids(conn, actor.org, records().filter_map(|it| it.deal).collect())?;
    let customers = customers::load(conn, actor, records().map(|record| record.customer))?;
    tickets
        .into_iter()
        .map(|(record, tags)| {
            Ok(FoundTicket {
                customer: customers.get(&record.customer).cloned().ok_or(diesel::NotFound)?,
                deal_id: record.deal.and_then(|id| deal_ids.get(&id).cloned()),
                tags,
                record,
            })
        })
        .collect()
}

fn deal_ids(conn: &mut Conn, org: Uuid, ids: Vec<Uuid>) -> Result<HashMap<Uuid, String>> {
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
