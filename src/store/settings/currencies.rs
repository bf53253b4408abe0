//! The currencies that an org's deals may be in.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::{org_currencies, org_settings};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// A currency of an org.
#[derive(Debug, Queryable)]
pub struct Currency {
    /// Its id.
    pub id: Uuid,
    /// ISO 4217, upper case.
    pub code: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// The org's default.
    pub default_code: String,
}

/// Currencies, newest first; that of a code where one is given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    code: Option<&str>,
) -> Result<Vec<Currency>, StoreError> {
    let Rows { id, before, limit } = rows;
    let mut query = org_currencies::table
        .inner_join(org_settings::table.on(org_settings::org_id.eq(org_currencies::org_id)))
        .filter(org_currencies::org_id.eq(org))
        .filter(org_settings::org_id.eq(org))
        .into_boxed();
    if let Some(id) = id {
        query = query.filter(org_currencies::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(org_currencies::id.lt(before));
    }
    if let Some(code) = code {
        query = query.filter(org_currencies::code.eq(code));
    }
    Ok(query
        .order(org_currencies::id.desc())
        .limit(limit)
        .select((
            org_currencies::id,
            org_currencies::code,
            org_currencies::created_at,
            org_settings::default_currency,
        ))
        .load(conn)?)
}

/// All codes, in alphabetical order.
///
/// # Errors
/// Those of the database.
pub fn codes(conn: &mut PgConnection, org: Uuid) -> Result<Vec<String>, StoreError> {
    Ok(org_currencies::table
        .filter(org_currencies::org_id.eq(org))
        .order(org_currencies::code)
        .select(org_currencies::code)
        .load(conn)?)
}

/// Adds a currency.
///
/// # Errors
/// [`StoreError::Taken`] where the org has it.
pub fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(org_currencies::table)
        .values((
            org_currencies::org_id.eq(org),
            org_currencies::id.eq(id),
            org_currencies::code.eq(code),
            org_currencies::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes a currency the default: that of deals that name none.
///
/// # Errors
/// Those of the database.
pub fn set_default(conn: &mut PgConnection, org: Uuid, code: &str) -> Result<(), StoreError> {
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set(org_settings::default_currency.eq(code))
        .execute(conn)?;
    Ok(())
}

/// Takes a currency from the org.
///
/// # Errors
/// [`StoreError::Reference`] where a deal is in it.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(org_currencies::table)
        .filter(org_currencies::org_id.eq(org))
        .filter(org_currencies::id.eq(id))
        .execute(conn)?;
    Ok(())
}
