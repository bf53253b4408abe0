//! The people of an org.

use super::{Rows, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::users;
use crate::store::word::Stored;
use beeiq_core::records::user::Role;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use uuid::Uuid;

#[derive(QueryableByName)]
#[diesel(table_name = users)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Stored<Role>,
    pub(crate) active: bool,
    /// Their names, in alphabetical order.
    #[diesel(sql_type = Array<Text>)]
    pub(crate) groups: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// What of a user can be set, but groups and password.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = users)]
pub(crate) struct UserValues<'a> {
    pub(crate) email: &'a str,
    pub(crate) email_key: &'a str,
    pub(crate) name: &'a str,
    pub(crate) role: &'static str,
    pub(crate) active: bool,
}

/// Which users are asked for: those that are all of what is given.
#[derive(Default)]
pub struct UserFilter {
    pub(crate) email_key: Option<String>,
    /// In any case.
    pub(crate) name: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) active: Option<bool>,
}

statements!(
    pub(crate) users: count, create(UserValues<'_>; updated_at), update(UserValues<'_>; updated_at),
    delete
);

pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
    filter: &UserFilter,
) -> Result<Vec<User>> {
    let Rows { id, before, limit } = rows;
    let UserFilter { email_key, name, role, active } = filter;
    let found = diesel::sql_query(
        "SELECT u.id, u.email, u.name, u.role, u.active, u.created_at, ARRAY(
             SELECT g.name FROM group_members m
             JOIN groups g ON g.org_id = m.org_id AND g.id = m.group_id
             WHERE m.org_id = u.org_id AND m.user_id = u.id ORDER BY g.name_key
         ) AS groups
         FROM users u
         WHERE u.org_id = $1 AND ($2 IS NULL OR u.id = $2) AND ($3 IS NULL OR u.id < $3)
           AND ($4 IS NULL OR u.email_key = $4) AND ($5 IS NULL OR lower(u.name) = lower($5))
           AND ($6 IS NULL OR u.role = $6) AND ($7 IS NULL OR u.active = $7)
         ORDER BY u.id DESC LIMIT $8",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<Nullable<Text>, _>(email_key)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<Text>, _>(role.map(Role::as_str))
    .bind::<Nullable<Bool>, _>(active)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(found)
}

pub(crate) fn find(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<User>> {
    Ok(list(conn, org, Rows::one(id), &UserFilter::default())?.pop())
}

/// The id of the active user of that e-mail, and the hash of their password.
pub fn credentials(
    conn: &mut Conn,
    org: Uuid,
    email_key: &str,
) -> Result<Option<(Uuid, Option<String>)>> {
    let found = users::table
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq(email_key))
        .filter(users::active)
        .select((users::id, users::password_hash))
        .first(conn)
        .optional()?;
    Ok(found)
}

/// The hash of a user's password, where they have one.
pub(crate) fn password_hash(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<String>> {
    Ok(users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(id))
        .select(users::password_hash)
        .first(conn)?)
}

/// Gives a user, active or not, another password: their id, none where there is no such user.
pub(crate) fn set_password(
    conn: &mut Conn,
    org: Uuid,
    email_key: &str,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>> {
    let changed = diesel::update(users::table)
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq(email_key))
        .set((users::password_hash.eq(password_hash), users::updated_at.eq(now)))
        .returning(users::id)
        .get_result(conn)
        .optional()?;
    Ok(changed)
}

/// Whether somebody else is an active owner.
pub(crate) fn has_other_owner(conn: &mut Conn, org: Uuid, but: Uuid) -> Result<bool> {
    let others = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.ne(but))
        .filter(users::role.eq(Role::Owner.as_str()))
        .filter(users::active);
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(conn)?)
}

/// The ids of the users of these e-mails, active or not, with the keys of the e-mails.
pub(crate) fn with_emails(
    conn: &mut Conn,
    org: Uuid,
    email_keys: &[String],
) -> Result<Vec<(String, Uuid)>> {
    Ok(users::table
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq_any(email_keys))
        .select((users::email_key, users::id))
        .load(conn)?)
}
