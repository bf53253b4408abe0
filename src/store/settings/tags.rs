//! Tags as they are set up; payloads make them in `writes::tags`.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::tags;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// A tag.
#[derive(Debug, Queryable, Selectable)]
pub struct Tag {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Tags, newest first; those of a name where one is given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Tag>, StoreError> {
    let Rows { id, before, limit } = rows;
    let mut query = tags::table.filter(tags::org_id.eq(org)).into_boxed();
    if let Some(id) = id {
        query = query.filter(tags::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(tags::id.lt(before));
    }
    if let Some(key) = name_key {
        query = query.filter(tags::name_key.eq(key));
    }
    Ok(query.order(tags::id.desc()).limit(limit).select(Tag::as_select()).load(conn)?)
}

/// How many there are.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError> {
    Ok(tags::table.filter(tags::org_id.eq(org)).count().get_result(conn)?)
}

/// Adds a tag.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(tags::table)
        .values((
            tags::org_id.eq(org),
            tags::id.eq(id),
            tags::name.eq(name),
            tags::name_key.eq(fold(name)),
            tags::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives a tag another name.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(conn: &mut PgConnection, org: Uuid, id: Uuid, name: &str) -> Result<(), StoreError> {
    diesel::update(tags::table)
        .filter(tags::org_id.eq(org))
        .filter(tags::id.eq(id))
        .set((tags::name.eq(name), tags::name_key.eq(fold(name))))
        .execute(conn)?;
    Ok(())
}

/// Deletes a tag.
///
/// # Errors
/// [`StoreError::Reference`] where something has it.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(tags::table)
        .filter(tags::org_id.eq(org))
        .filter(tags::id.eq(id))
        .execute(conn)?;
    Ok(())
}
