//! The lists of names that an org chooses from: sources, channels, deal stages, categories and
//! packages.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::picklist_entries;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// An entry of a list.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = picklist_entries)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its place in the list; of equal places the name decides.
    pub position: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Entries of a list, newest first; those of a name where one is given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    list: &str,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Entry>, StoreError> {
    use picklist_entries::dsl;
    let Rows { id, before, limit } = rows;
    let mut query =
        dsl::picklist_entries.filter(dsl::org_id.eq(org)).filter(dsl::list.eq(list)).into_boxed();
    if let Some(id) = id {
        query = query.filter(dsl::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    if let Some(key) = name_key {
        query = query.filter(dsl::name_key.eq(key));
    }
    Ok(query.order(dsl::id.desc()).limit(limit).select(Entry::as_select()).load(conn)?)
}

/// How many a list has.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid, list: &str) -> Result<i64, StoreError> {
    use picklist_entries::dsl;
    Ok(dsl::picklist_entries
        .filter(dsl::org_id.eq(org))
        .filter(dsl::list.eq(list))
        .count()
        .get_result(conn)?)
}

/// The place behind all others of a list.
///
/// # Errors
/// Those of the database.
pub fn end(conn: &mut PgConnection, org: Uuid, list: &str) -> Result<i32, StoreError> {
    use picklist_entries::dsl;
    let last: Option<i32> = dsl::picklist_entries
        .filter(dsl::org_id.eq(org))
        .filter(dsl::list.eq(list))
        .select(max(dsl::position))
        .first(conn)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

/// Adds an entry to a list.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    list: &str,
    (name, position): (&str, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    use picklist_entries::dsl;
    diesel::insert_into(dsl::picklist_entries)
        .values((
            dsl::org_id.eq(org),
            dsl::id.eq(id),
            dsl::list.eq(list),
            dsl::name.eq(name),
            dsl::name_key.eq(fold(name)),
            dsl::position.eq(position),
            dsl::created_at.eq(now),
            dsl::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets an entry's name and place.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    (name, position): (&str, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    use picklist_entries::dsl;
    diesel::update(dsl::picklist_entries)
        .filter(dsl::org_id.eq(org))
        .filter(dsl::id.eq(id))
        .set((
            dsl::name.eq(name),
            dsl::name_key.eq(fold(name)),
            dsl::position.eq(position),
            dsl::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes an entry.
///
/// # Errors
/// [`StoreError::Reference`] where something has it.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    use picklist_entries::dsl;
    diesel::delete(dsl::picklist_entries)
        .filter(dsl::org_id.eq(org))
        .filter(dsl::id.eq(id))
        .execute(conn)?;
    Ok(())
}
