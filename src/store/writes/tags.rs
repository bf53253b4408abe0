//! New tags.

use super::columns::{Rows, each};
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use beeiq_core::batch::{NewTag, Origin};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them; where another transaction made one of them first, it is a conflict.
pub(super) fn insert(conn: &mut Conn, org: Uuid, tags: &[(Origin, NewTag)]) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut tags: Vec<&(Origin, NewTag)> = tags.iter().collect();
    tags.sort_by(|(_, a), (_, b)| a.name_key.cmp(&b.name_key));
    let inserted = Rows::of(org)
        .column::<SqlUuid, _>("id", each(&tags, |(_, tag)| tag.id))
        .column::<Text, _>("name", each(&tags, |(_, tag)| tag.name.as_str()))
        .column::<Text, _>("name_key", each(&tags, |(_, tag)| tag.name_key.as_str()))
        .column::<Timestamptz, _>("created_at", each(&tags, |(origin, _)| origin.at))
        .insert_or("tags", " ON CONFLICT (org_id, name_key) DO NOTHING")
        .execute(conn)?;
    if inserted == tags.len() { Ok(()) } else { Err(StoreError::Conflict) }
}
