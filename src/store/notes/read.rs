//! Notes as they are read. What a note's permit says is part of each query (`listener.md` 5),
//! whether or not the caller may see what the note is on: that is then named by its code alone.

use super::row::NoteRow;
use crate::actor::Actor;
use crate::store::customers::references::{self as customers, CustomerReference};
use crate::store::deals::references::{self as deals, DealReference};
use crate::store::error::Result;
use crate::store::listing::{Filters, for_users, listed, owned};
use crate::store::pool::Conn;
use crate::store::schema::notes;
use crate::store::text_search::{containing, words};
use beeiq_core::records::note::{Note, NoteTarget};
use diesel::prelude::*;
use uuid::Uuid;

/// A note with what it is on, as far as the caller may see it.
pub(crate) struct FoundNote {
    pub(crate) record: Note,
    pub(crate) target: Target,
}

pub(crate) enum Target {
    Customer(CustomerReference),
    Deal(DealReference),
}

listed!(notes, NoteRow);
owned!(notes);
for_users!(notes);

/// A page of the notes that `actor` may see, newest first; `before` is the last id of the page
/// before. Identifiers and name are those of the customer that the note is on, as far as the caller
/// may see them. Notes have no tags.
pub(crate) fn list(
    conn: &mut Conn,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FoundNote>> {
    let mut rows = visible(actor);
    if let Some(customers) = customers::matching(actor, filters) {
        rows = rows.filter(notes::customer_id.assume_not_null().eq_any(customers));
    }
    if let Some(owner) = &filters.owner {
        rows = rows.filter(is_owned_by(actor.org, owner));
    }
    for word in words(filters.q.as_deref()) {
        rows = rows.filter(notes::body_key.like(containing(&word)));
    }
    let found = page(conn, rows, filters, before, limit)?;
    with_targets(conn, actor, found)
}

/// The note of that id, if `actor` may see it.
pub(crate) fn find(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<Option<FoundNote>> {
    let found = visible(actor).filter(notes::id.eq(id)).select(NoteRow::as_select()).load(conn)?;
    Ok(with_targets(conn, actor, found)?.pop())
}

fn visible_to(actor: &Actor) -> Condition {
    by_permit(actor, Box::new(is_own(actor).or(is_for_user(actor))))
}

/// Adds what the notes are on, in one query for each table however many there are.
fn with_targets(conn: &mut Conn, actor: &Actor, rows: Vec<NoteRow>) -> Result<Vec<FoundNote>> {
    let records: Vec<Note> =
        rows.into_iter().map(NoteRow::into_record).collect::<QueryResult<_>>()?;
    let targets = || records.iter().map(|note| note.target);
    let customers = customers::load(conn, actor, targets().filter_map(NoteTarget::customer))?;
    let deals = deals::load(conn, actor, targets().filter_map(NoteTarget::deal))?;
    records
        .into_iter()
        .map(|record| {
            let target = match record.target {
                NoteTarget::Customer(id) => customers.get(&id).cloned().map(Target::Customer),
                NoteTarget::Deal(id) => deals.get(&id).cloned().map(Target::Deal),
            };
            Ok(FoundNote { record, target: target.ok_or(diesel::NotFound)? })
        })
        .collect()
}
