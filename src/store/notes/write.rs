//! New notes.

use super::columns::{Rows, each};
use crate::store::statement::Statement;
use beeiq_core::records::note::Note;
use beeiq_core::values::text::fold;
use diesel::sql_types::{Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, notes: &[Note]) -> Option<Statement<'_>> {
    if notes.is_empty() {
        return None;
    }
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(notes, |note| note.id))
        .column::<Text, _>("body", each(notes, |note| note.body.as_str()))
        .column::<Text, _>("body_key", each(notes, |note| fold(&note.body)))
        .column::<Nullable<SqlUuid>, _>("customer_id", each(notes, |note| note.target.customer()))
        .column::<Nullable<SqlUuid>, _>("deal_id", each(notes, |note| note.target.deal()))
        .column::<Nullable<SqlUuid>, _>("channel_id", each(notes, |note| note.channel))
        .column::<SmallInt, _>("permit_status", each(notes, |note| note.permit.status()))
        .column::<Nullable<SqlUuid>, _>("permit_group_id", each(notes, |note| note.permit.group()))
        .id_lists("permit_user_ids", each(notes, |note| note.permit.users()))
        .column::<SqlUuid, _>("owner_id", each(notes, |note| note.owner))
        .column::<Timestamptz, _>("created_at", each(notes, |note| note.created_at));
    Some(rows.insert("notes"))
}
