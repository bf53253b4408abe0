//! New tags.

use super::columns::each;
use crate::actions::{NewTag, Origin};
use crate::error::StoreError;
use crate::store::statement::statement;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them; where another transaction made one of them first, it is a conflict.
pub(super) fn insert(
    conn: &mut PgConnection,
    org: Uuid,
    tags: &[(Origin, NewTag)],
) -> Result<(), StoreError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut tags: Vec<&(Origin, NewTag)> = tags.iter().collect();
    tags.sort_by(|(_, a), (_, b)| a.name_key.cmp(&b.name_key));
    let inserted = statement(
        "INSERT INTO tags (org_id, id, name, name_key, created_at) \
         SELECT $1, new.id, new.name, new.name_key, new.created_at \
         FROM unnest($2, $3, $4, $5) AS new (id, name, name_key, created_at) \
         ON CONFLICT (org_id, name_key) DO NOTHING",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(&tags, |(_, tag)| tag.id))
    .bind::<Array<Text>, _>(each(&tags, |(_, tag)| tag.name.as_str()))
    .bind::<Array<Text>, _>(each(&tags, |(_, tag)| tag.name_key.as_str()))
    .bind::<Array<Timestamptz>, _>(each(&tags, |(origin, _)| origin.at))
    .execute(conn)?;
    if inserted == tags.len() { Ok(()) } else { Err(StoreError::Conflict) }
}
