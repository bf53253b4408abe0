//! New notes.

use super::columns::{UuidArray, each};
use crate::domain::note::Note;
use crate::domain::text::fold;
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, notes: &[Note]) -> Option<Statement<'_>> {
    if notes.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO notes (org_id, id, body, body_key, customer_id, deal_id, channel_id, permit_status, \
             permit_group_id, permit_user_ids, owner_id, created_at) \
         SELECT $1, new.id, new.body, new.body_key, new.customer_id, new.deal_id, new.channel_id, new.permit_status, \
             new.permit_group_id, new.permit_user_ids::uuid[], new.owner_id, new.created_at \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             AS new (id, body, body_key, customer_id, deal_id, channel_id, permit_status, permit_group_id, \
             permit_user_ids, owner_id, created_at)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(notes, |note| note.id))
    .bind::<Array<Text>, _>(each(notes, |note| note.body.as_str()))
    .bind::<Array<Text>, _>(each(notes, |note| fold(&note.body)))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(notes, |note| note.target.customer()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(notes, |note| note.target.deal()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(notes, |note| note.channel))
    .bind::<Array<SmallInt>, _>(each(notes, |note| note.permit.status()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(notes, |note| note.permit.group()))
    .bind::<Array<Text>, _>(each(notes, |note| UuidArray(note.permit.users())))
    .bind::<Array<SqlUuid>, _>(each(notes, |note| note.owner))
    .bind::<Array<Timestamptz>, _>(each(notes, |note| note.created_at));
    Some(insert)
}
