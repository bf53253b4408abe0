//! Service levels.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::slas;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// A service level; the times are in minutes.
#[derive(Debug, Queryable, Selectable)]
pub struct Sla {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Until the first response.
    pub first_response_minutes: i32,
    /// Until the resolution.
    pub resolution_minutes: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Service levels, newest first; those of a name where one is given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Sla>, StoreError> {
    let Rows { id, before, limit } = rows;
    let mut query = slas::table.filter(slas::org_id.eq(org)).into_boxed();
    if let Some(id) = id {
        query = query.filter(slas::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(slas::id.lt(before));
    }
    if let Some(key) = name_key {
        query = query.filter(slas::name_key.eq(key));
    }
    Ok(query.order(slas::id.desc()).limit(limit).select(Sla::as_select()).load(conn)?)
}

/// How many there are.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError> {
    Ok(slas::table.filter(slas::org_id.eq(org)).count().get_result(conn)?)
}

/// Sets all of a service level. The due times of tickets that there are stay.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    (first_response, resolution): (i32, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(slas::table)
        .filter(slas::org_id.eq(org))
        .filter(slas::id.eq(id))
        .set((
            slas::name.eq(name),
            slas::name_key.eq(fold(name)),
            slas::first_response_minutes.eq(first_response),
            slas::resolution_minutes.eq(resolution),
            slas::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes a service level.
///
/// # Errors
/// [`StoreError::Reference`] where a ticket has it.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(slas::table)
        .filter(slas::org_id.eq(org))
        .filter(slas::id.eq(id))
        .execute(conn)?;
    Ok(())
}
