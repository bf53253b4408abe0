//! A row of `notes`, which is the whole record.

use crate::store::schema::notes;
use crate::store::statement::Statement;
use crate::store::writes::columns::{Rows, rows};
use beeiq_core::records::note::{Note, NoteTarget};
use beeiq_core::records::permit::Permit;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = notes, check_for_backend(Pg))]
pub(super) struct NoteRow {
    id: Uuid,
    body: String,
    customer_id: Option<Uuid>,
    deal_id: Option<Uuid>,
    channel_id: Option<Uuid>,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    permit_user_ids: Vec<Option<Uuid>>,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
}

impl NoteRow {
    pub(super) fn into_record(self) -> QueryResult<Note> {
        let Self {
            id,
            body,
            customer_id,
            deal_id,
            channel_id,
            permit_status,
            permit_group_id,
            permit_user_ids,
            owner_id,
            created_at,
        } = self;
        let target = customer_id.map(NoteTarget::Customer).or(deal_id.map(NoteTarget::Deal));
        Ok(Note {
            id,
            body,
            target: target.ok_or(diesel::NotFound)?,
            channel: channel_id,
            permit: Permit::from_parts(permit_status, permit_group_id, permit_user_ids),
            owner: owner_id,
            created_at,
        })
    }
}

pub(in crate::store) fn insert(org: Uuid, notes: &[Note]) -> Option<Statement<'_>> {
    if notes.is_empty() {
        return None;
    }
    let rows = rows!(org, notes, Note { id, body, target, channel, permit, owner, created_at } => {
        id: column(SqlUuid) = *id,
        body: column(Text) = body.as_str(),
        body_key: column(Text) = fold(body),
        customer_id: column(Nullable<SqlUuid>) = target.customer(),
        deal_id: column(Nullable<SqlUuid>) = target.deal(),
        channel_id: column(Nullable<SqlUuid>) = *channel,
        permit_status: column(SmallInt) = permit.status(),
        permit_group_id: column(Nullable<SqlUuid>) = permit.group(),
        permit_user_ids: id_lists = permit.users(),
        owner_id: column(SqlUuid) = *owner,
        created_at: column(Timestamptz) = *created_at,
    });
    Some(rows.insert("notes"))
}
