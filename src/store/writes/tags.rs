//! New tags.

use crate::actions::NewTag;
use crate::error::StoreError;
use crate::store::statement::statement;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them; where another transaction made one of them first, it is a conflict.
pub(super) fn insert(
    conn: &mut PgConnection,
    org: Uuid,
    tags: &[NewTag],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut tags: Vec<&NewTag> = tags.iter().collect();
    tags.sort_by(|a, b| a.name_key.cmp(&b.name_key));
    let inserted = statement(
        "INSERT INTO tags (org_id, id, name, name_key, created_at) \
         SELECT $1, new.id, new.name, new.name_key, $5 \
         FROM unnest($2, $3, $4) AS new (id, name, name_key) \
         ON CONFLICT (org_id, name_key) DO NOTHING",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(tags.iter().map(|tag| tag.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(tags.iter().map(|tag| tag.name_key.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(at)
    .execute(conn)?;
    if inserted == tags.len() { Ok(()) } else { Err(StoreError::Conflict) }
}
