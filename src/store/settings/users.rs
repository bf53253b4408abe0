//! The people of an org.

use super::rows::Rows;
use crate::access::Role;
use crate::store::error::StoreError;
use crate::store::schema::{group_members, groups, users};
use beeiq_core::values::email::Email;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
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

/// A user as he is set up.
#[derive(Debug, QueryableByName)]
pub struct UserRow {
    /// His id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// His e-mail as entered.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// His name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `owner`, `admin` or `member`.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// Whether he may sign in and send.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// The names of his groups, in alphabetical order.
    #[diesel(sql_type = Array<Text>)]
    pub groups: Vec<String>,
    /// When he was added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Which users are asked for: those that are all of what is given.
#[derive(Debug, Default)]
pub struct UserFilter {
    /// With this e-mail, in the form in which it is compared.
    pub email_key: Option<String>,
    /// Of this name, in any case.
    pub name: Option<String>,
    /// Of this role.
    pub role: Option<Role>,
    /// Active, or not.
    pub active: Option<bool>,
}

/// Users, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    filter: &UserFilter,
) -> Result<Vec<UserRow>, StoreError> {
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

/// How many there are.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError> {
    Ok(users::table.filter(users::org_id.eq(org)).count().get_result(conn)?)
}

/// Whether somebody else is an active owner.
///
/// # Errors
/// Those of the database.
pub fn has_other_owner(conn: &mut PgConnection, org: Uuid, but: Uuid) -> Result<bool, StoreError> {
    let others = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.ne(but))
        .filter(users::role.eq(Role::Owner.as_str()))
        .filter(users::active);
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(conn)?)
}

/// What of a user can be set, but his groups and his password.
#[derive(Debug)]
pub struct UserValues<'a> {
    /// What he signs in with.
    pub email: &'a Email,
    /// His name.
    pub name: &'a str,
    /// What he may do.
    pub role: Role,
    /// Whether he may sign in and send.
    pub active: bool,
}

/// Sets what can be set of a user.
///
/// # Errors
/// [`StoreError::Taken`] where the e-mail is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    values: &UserValues<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let UserValues { email, name, role, active } = values;
    diesel::update(users::table)
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(id))
        .set((
            users::email.eq(email.value()),
            users::email_key.eq(email.key()),
            users::name.eq(name),
            users::role.eq(role.as_str()),
            users::active.eq(active),
            users::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The ids of the users of these e-mails, active or not, with the keys of the e-mails.
///
/// # Errors
/// Those of the database.
pub fn with_emails(
    conn: &mut PgConnection,
    org: Uuid,
    email_keys: &[String],
) -> Result<Vec<(String, Uuid)>, StoreError> {
    Ok(users::table
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq_any(email_keys))
        .select((users::email_key, users::id))
        .load(conn)?)
}

/// Deletes a user with his sessions; he is in no group any more.
///
/// # Errors
/// [`StoreError::Reference`] where something names him.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(users::table)
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(id))
        .execute(conn)?;
    Ok(())
}
