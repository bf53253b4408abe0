//! Notes as they are read. What a note's permit says is part of each query (`listener.md` 5),
//! whether or not the caller may see what the note is on: that is then named by its code alone.

use super::customer_references::{self, CustomerReference};
use super::customers::Filters;
use super::deal_references::{self, DealReference};
use super::schema::{notes, users};
use super::text_search::{containing, words};
use crate::access::Actor;
use crate::store::error::StoreError;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use uuid::Uuid;

/// A note with what it is on, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct Note {
    /// The record itself.
    pub record: NoteRow,
    /// What it is on.
    pub target: Target,
}

/// What a note is on.
#[derive(Clone, Debug)]
pub enum Target {
    /// A contact, account or lead.
    Customer(CustomerReference),
    /// A deal.
    Deal(DealReference),
}

/// A row of `notes`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = notes, check_for_backend(Pg))]
#[expect(missing_docs, reason = "the columns, described in the schema's comments")]
pub struct NoteRow {
    pub id: Uuid,
    pub body: String,
    pub customer_id: Option<Uuid>,
    pub deal_id: Option<Uuid>,
    pub channel_id: Option<Uuid>,
    pub permit_status: i16,
    pub permit_group_id: Option<Uuid>,
    pub permit_user_ids: Vec<Option<Uuid>>,
    pub owner_id: Uuid,
    pub created_at: DateTime<Utc>,
}

type Rows<'a> = notes::BoxedQuery<'a, Pg>;
type Condition = Box<dyn BoxableExpression<notes::table, Pg, SqlType = Nullable<Bool>>>;

/// A page of the notes that `actor` may see, newest first; `before` is the last id of the page
/// before. E-mail, phone, passport, contactId and name are those of the customer that the note is
/// on, as far as the caller may see him. Notes have no tags.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Note>, StoreError> {
    let mut rows = narrowed(visible(actor), actor, filters);
    for word in words(filters.q.as_deref()) {
        rows = rows.filter(notes::body_key.like(containing(&word)));
    }
    if let Some(before) = before {
        rows = rows.filter(notes::id.lt(before));
    }
    let newest = rows.order(notes::id.desc()).limit(limit);
    let found = newest.select(NoteRow::as_select()).load(conn)?;
    with_targets(conn, actor, found)
}

/// The note of that id, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<Option<Note>, StoreError> {
    let found = visible(actor).filter(notes::id.eq(id)).select(NoteRow::as_select()).load(conn)?;
    Ok(with_targets(conn, actor, found)?.pop())
}

fn visible<'a>(actor: &Actor) -> Rows<'a> {
    notes::table.filter(notes::org_id.eq(actor.org)).filter(visible_to(actor)).into_boxed()
}

fn visible_to(actor: &Actor) -> Condition {
    if actor.sees_all() {
        return Box::new(sql::<Nullable<Bool>>("TRUE"));
    }
    let for_group = notes::permit_group_id.eq_any(actor.groups.clone());
    let for_user = notes::permit_user_ids.overlaps_with(vec![actor.user()]);
    Box::new(
        notes::permit_status
            .eq(1)
            .or(notes::owner_id.nullable().eq(actor.user()))
            .or(notes::permit_status.eq(4).and(for_user))
            .or(notes::permit_status.eq(3).and(for_group)),
    )
}

/// All filters but the words.
fn narrowed<'a>(mut rows: Rows<'a>, actor: &Actor, filters: &Filters) -> Rows<'a> {
    if let Some(customers) = customer_references::matching(actor, filters) {
        rows = rows.filter(notes::customer_id.assume_not_null().eq_any(customers));
    }
    if let Some(owner) = &filters.owner {
        let owners = users::table
            .filter(users::org_id.eq(actor.org))
            .filter(users::email_key.eq(owner.clone()))
            .select(users::id);
        rows = rows.filter(notes::owner_id.eq_any(owners));
    }
    if let Some(from) = filters.created_from {
        rows = rows.filter(notes::created_at.ge(from));
    }
    if let Some(to) = filters.created_to {
        rows = rows.filter(notes::created_at.le(to));
    }
    rows
}

/// Adds what the notes are on, in one query for each table however many there are.
fn with_targets(
    conn: &mut PgConnection,
    actor: &Actor,
    records: Vec<NoteRow>,
) -> Result<Vec<Note>, StoreError> {
    let customers =
        customer_references::load(conn, actor, records.iter().filter_map(|note| note.customer_id))?;
    let deals = deal_references::load(conn, actor, records.iter().filter_map(|note| note.deal_id))?;
    records
        .into_iter()
        .map(|record| {
            let customer = record.customer_id.and_then(|id| customers.get(&id));
            let deal = record.deal_id.and_then(|id| deals.get(&id));
            let target = match (customer, deal) {
                (Some(customer), _) => Target::Customer(customer.clone()),
                (None, Some(deal)) => Target::Deal(deal.clone()),
                (None, None) => return Err(diesel::NotFound.into()),
            };
            Ok(Note { record, target })
        })
        .collect()
}
