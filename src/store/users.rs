//! The people of an org.

use crate::auth::Role;
use crate::domain::email::Email;
use crate::error::StoreError;
use crate::schema::{group_members, groups, users};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// A user to be added.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// His id.
    pub id: Uuid,
    /// What he signs in with.
    pub email: &'a Email,
    /// His name.
    pub name: &'a str,
    /// What he may do.
    pub role: Role,
    /// The hash of his password; none: he cannot sign in.
    pub password_hash: Option<&'a str>,
}

/// What a user is shown of himself.
#[derive(Clone, Debug)]
pub struct Profile {
    /// His id.
    pub id: Uuid,
    /// His e-mail as entered.
    pub email: String,
    /// His name.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// The names of his groups.
    pub groups: Vec<String>,
}

/// Adds a user.
///
/// # Errors
/// [`StoreError::Taken`] where the e-mail is.
pub fn create(
    conn: &mut PgConnection,
    org: Uuid,
    user: &NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let NewUser { id, email, name, role, password_hash } = user;
    diesel::insert_into(users::table)
        .values((
            users::org_id.eq(org),
            users::id.eq(id),
            users::email.eq(email.value()),
            users::email_key.eq(email.key()),
            users::name.eq(name),
            users::role.eq(role.as_str()),
            users::password_hash.eq(password_hash),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The id of the active user of that e-mail, and the hash of his password.
///
/// # Errors
/// Those of the database.
pub fn credentials(
    conn: &mut PgConnection,
    org: Uuid,
    email_key: &str,
) -> Result<Option<(Uuid, Option<String>)>, StoreError> {
    let found = users::table
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq(email_key))
        .filter(users::active)
        .select((users::id, users::password_hash))
        .first(conn)
        .optional()?;
    Ok(found)
}

/// What a user is shown of himself.
///
/// # Errors
/// Those of the database.
pub fn profile(
    conn: &mut PgConnection,
    org: Uuid,
    user: Uuid,
) -> Result<Option<Profile>, StoreError> {
    let found: Option<(Uuid, String, String, String)> = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(user))
        .select((users::id, users::email, users::name, users::role))
        .first(conn)
        .optional()?;
    let Some((id, email, name, role)) = found else {
        return Ok(None);
    };
    let groups = groups::table
        .inner_join(group_members::table.on(
            group_members::org_id.eq(groups::org_id).and(group_members::group_id.eq(groups::id)),
        ))
        .filter(groups::org_id.eq(org))
        .filter(group_members::user_id.eq(user))
        .order(groups::name_key)
        .select(groups::name)
        .load(conn)?;
    Ok(Some(Profile { id, email, name, role: Role::of_column(&role)?, groups }))
}

/// Gives a user, active or not, another password: his id, none where there is no such user.
///
/// # Errors
/// Those of the database.
pub fn set_password(
    conn: &mut PgConnection,
    org: Uuid,
    email_key: &str,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    let changed = diesel::update(users::table)
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq(email_key))
        .set((users::password_hash.eq(password_hash), users::updated_at.eq(now)))
        .returning(users::id)
        .get_result(conn)
        .optional()?;
    Ok(changed)
}
