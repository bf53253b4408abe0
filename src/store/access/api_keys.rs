//! The keys of programs that call the management API.

use crate::secrets::{KeyId, TokenHash};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::api_keys;
use crate::store::settings::{Rows, newest, statements};
use crate::store::word::Stored;
use beeiq_core::records::user::Role;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use uuid::Uuid;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
pub(crate) struct ApiKeyRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) role: Stored<Role>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to five minutes.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = api_keys)]
pub(crate) struct NewApiKey<'a> {
    pub(crate) id: Uuid,
    pub(crate) name: &'a str,
    /// The name in the form in which it is compared.
    pub(crate) name_key: &'a str,
    /// What it may do.
    pub(crate) role: &'static str,
    pub(crate) token_hash: &'a [u8],
    pub(crate) key_id: &'a [u8],
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}

statements!(pub(crate) api_keys: delete);

pub(crate) fn create(conn: &mut Conn, org: Uuid, key: &NewApiKey<'_>) -> Result<()> {
    diesel::insert_into(api_keys::table).values((api_keys::org_id.eq(org), key)).execute(conn)?;
    Ok(())
}

pub(crate) fn list(conn: &mut Conn, org: Uuid, rows: Rows) -> Result<Vec<ApiKeyRow>> {
    let of_org = api_keys::table.filter(api_keys::org_id.eq(org));
    Ok(newest!(of_org, api_keys, rows).select(ApiKeyRow::as_select()).load(conn)?)
}

/// The id, name and role of the key with one of those hashes; none where it has expired.
pub(crate) fn with_hash(
    conn: &mut Conn,
    org: Uuid,
    tokens: &[TokenHash],
    now: DateTime<Utc>,
) -> Result<Option<(Uuid, String, Stored<Role>)>> {
    Ok(api_keys::table
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::token_hash.eq_any(tokens.iter().map(|token| &token.hash[..])))
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)))
        .select((api_keys::id, api_keys::name, api_keys::role))
        .first(conn)
        .optional()?)
}

/// Writes down that a key is used, unless that was done after `written`, and what it is known by from
/// now on.
pub(crate) fn used(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    token: &TokenHash,
    (now, written): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    let TokenHash { hash, key_id } = token;
    diesel::update(api_keys::table)
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::id.eq(id))
        .filter(
            api_keys::last_used_at
                .is_null()
                .or(api_keys::last_used_at.le(written).assume_not_null())
                .or(api_keys::key_id.is_distinct_from(&key_id[..])),
        )
        .set((
            api_keys::last_used_at.eq(now),
            api_keys::token_hash.eq(&hash[..]),
            api_keys::key_id.eq(&key_id[..]),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many keys that have not expired are known by another key of the instance than that.
pub(crate) fn count_of_other_keys(
    conn: &mut Conn,
    org: Uuid,
    key: &KeyId,
    now: DateTime<Utc>,
) -> Result<i64> {
    Ok(api_keys::table
        .filter(api_keys::org_id.eq(org))
        .filter(api_keys::key_id.is_distinct_from(&key[..]))
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now).assume_not_null()))
        .count()
        .get_result(conn)?)
}
