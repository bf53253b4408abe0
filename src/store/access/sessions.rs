//! Who is signed in.

use crate::secrets::{KeyId, TokenHash};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{group_members, sessions, users};
use crate::store::settings::statements;
use crate::store::word::Stored;
use beeiq_core::records::user::Role;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

#[derive(Debug)]
pub struct NewSession<'a> {
    pub id: Uuid,
    pub user: Uuid,
    pub token: &'a TokenHash,
    pub expires_at: DateTime<Utc>,
}

/// Keeps a new session, and drops the user's ended ones.
pub fn create(
    conn: &mut Conn,
    org: Uuid,
    session: &NewSession<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let NewSession { id, user, token, expires_at } = session;
    diesel::delete(sessions::table)
        .filter(sessions::org_id.eq(org))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.le(now))
        .execute(conn)?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::org_id.eq(org),
            sessions::id.eq(id),
            sessions::user_id.eq(user),
            sessions::token_hash.eq(&token.hash[..]),
            sessions::key_id.eq(&token.key_id[..]),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A session with its user, role and groups being those of now.
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) role: Stored<Role>,
    pub(crate) groups: Vec<Uuid>,
}

/// The session of that token, by whichever key it is known; none where it has ended, was not used since `unused_since`, or the
/// user is inactive.
pub(crate) fn find(
    conn: &mut Conn,
    org: Uuid,
    tokens: &[TokenHash],
    unused_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Session>> {
    let found: Option<(Uuid, Uuid, Stored<Role>)> = sessions::table
        .inner_join(
            users::table
                .on(users::org_id.eq(sessions::org_id).and(users::id.eq(sessions::user_id))),
        )
        .filter(sessions::org_id.eq(org))
        .filter(sessions::token_hash.eq_any(tokens.iter().map(|token| &token.hash[..])))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_used_at.gt(unused_since))
        .filter(users::active)
        .select((sessions::id, users::id, users::role))
        .first(conn)
        .optional()?;
    let Some((id, user, role)) = found else {
        return Ok(None);
    };
    let groups = group_members::table
        .filter(group_members::org_id.eq(org))
        .filter(group_members::user_id.eq(user))
        .select(group_members::group_id)
        .load(conn)?;
    Ok(Some(Session { id, user, role, groups }))
}

/// Writes down that a session is used, unless that was done after `written`, and what it is known by
/// from now on.
pub(crate) fn used(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    token: &TokenHash,
    (now, written): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    let TokenHash { hash, key_id } = token;
    diesel::update(sessions::table)
        .filter(sessions::org_id.eq(org))
        .filter(sessions::id.eq(id))
        .filter(
            sessions::last_used_at.le(written).or(sessions::key_id.is_distinct_from(&key_id[..])),
        )
        .set((
            sessions::last_used_at.eq(now),
            sessions::token_hash.eq(&hash[..]),
            sessions::key_id.eq(&key_id[..]),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many sessions that have not ended are known by another key of the instance than that.
pub(crate) fn count_of_other_keys(
    conn: &mut Conn,
    org: Uuid,
    key: &KeyId,
    now: DateTime<Utc>,
) -> Result<i64> {
    Ok(sessions::table
        .filter(sessions::org_id.eq(org))
        .filter(sessions::key_id.is_distinct_from(&key[..]))
        .filter(sessions::expires_at.gt(now))
        .count()
        .get_result(conn)?)
}

statements!(pub(crate) sessions: delete);

/// Ends all sessions of a user but one.
pub(crate) fn delete_of_user(
    conn: &mut Conn,
    org: Uuid,
    user: Uuid,
    kept: Option<Uuid>,
) -> Result<()> {
    diesel::delete(sessions::table)
        .filter(sessions::org_id.eq(org))
        .filter(sessions::user_id.eq(user))
        // No session has the nil id.
        .filter(sessions::id.ne(kept.unwrap_or_default()))
        .execute(conn)?;
    Ok(())
}
