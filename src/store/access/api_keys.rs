//! The keys of programs that call the management API.

use crate::access::{Actor, Role, Who};
use crate::store::error::StoreError;
use crate::store::schema::api_keys;
use chrono::{DateTime, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use uuid::Uuid;

/// A key as it is kept.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
pub struct ApiKeyRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// When it ends, where it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to five minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key to be kept.
#[derive(Debug, Insertable)]
#[diesel(table_name = api_keys)]
pub struct NewApiKey<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: &'a str,
    /// The name in the form in which it is compared.
    pub name_key: &'a str,
    /// What it may do.
    pub role: &'static str,
    /// The keyed hash of the key.
    pub token_hash: &'a [u8],
    /// When it ends, where it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it is made.
    pub created_at: DateTime<Utc>,
}

/// Keeps a new key.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create(conn: &mut PgConnection, org: Uuid, key: &NewApiKey<'_>) -> Result<(), StoreError> {
    diesel::insert_into(api_keys::table).values((api_keys::org_id.eq(org), key)).execute(conn)?;
    Ok(())
}

/// The keys of smaller ids than `before`, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let mut keys = api_keys::table.filter(api_keys::org_id.eq(org)).into_boxed();
    if let Some(before) = before {
        keys = keys.filter(api_keys::id.lt(before));
    }
    let newest = keys.order(api_keys::id.desc()).limit(limit);
    Ok(newest.select(ApiKeyRow::as_select()).load(conn)?)
}

/// One key.
///
/// # Errors
/// Those of the database.
pub fn find(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<Option<ApiKeyRow>, StoreError> {
    let found = api_keys::table
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::id.eq(id))
        .select(ApiKeyRow::as_select())
        .first(conn)
        .optional()?;
    Ok(found)
}

/// As whom the key with that hash calls, and its id; none where it has expired. The address is the
/// caller's to add.
///
/// # Errors
/// Those of the database.
pub fn actor(
    conn: &mut PgConnection,
    org: Uuid,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<(Uuid, Actor)>, StoreError> {
    let found: Option<(Uuid, String, String)> = api_keys::table
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::token_hash.eq(token_hash))
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)))
        .select((api_keys::id, api_keys::name, api_keys::role))
        .first(conn)
        .optional()?;
    let Some((id, name, role)) = found else {
        return Ok(None);
    };
    let who = Who::ApiKey { id, name };
    let role = Role::of_column(&role)?;
    Ok(Some((id, Actor { org, who, role, groups: Vec::new(), address: None })))
}

/// Writes down that a key is used, unless that was done after `written`.
///
/// # Errors
/// Those of the database.
pub fn used(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
    written: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(api_keys::table)
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::id.eq(id))
        .filter(api_keys::last_used_at.is_null().or(api_keys::last_used_at.le(written)))
        .set(api_keys::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Deletes a key: it ends at once. False: there is no such key.
///
/// # Errors
/// Those of the database.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let deleted = diesel::delete(api_keys::table)
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::id.eq(id))
        .execute(conn)?;
    Ok(deleted == 1)
}
