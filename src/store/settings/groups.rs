//! Groups of users.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::{group_members, groups};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// A group.
#[derive(Debug, QueryableByName)]
pub struct Group {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The e-mails of its members, in alphabetical order.
    #[diesel(sql_type = Array<Text>)]
    pub members: Vec<String>,
    /// When it was made.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Groups, newest first; those of a name where one is given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Group>, StoreError> {
    let Rows { id, before, limit } = rows;
    let found = diesel::sql_query(
        "SELECT g.id, g.name, g.created_at, ARRAY(
             SELECT u.email FROM group_members m
             JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id
             WHERE m.org_id = g.org_id AND m.group_id = g.id ORDER BY u.email_key
         ) AS members
         FROM groups g
         WHERE g.org_id = $1 AND ($2 IS NULL OR g.id = $2) AND ($3 IS NULL OR g.id < $3)
           AND ($4 IS NULL OR g.name_key = $4)
         ORDER BY g.id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<Nullable<Text>, _>(name_key)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(found)
}

/// How many there are.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError> {
    Ok(groups::table.filter(groups::org_id.eq(org)).count().get_result(conn)?)
}

/// Sets a group's name and members.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    members: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(groups::table)
        .filter(groups::org_id.eq(org))
        .filter(groups::id.eq(id))
        .set((groups::name.eq(name), groups::name_key.eq(fold(name)), groups::updated_at.eq(now)))
        .execute(conn)?;
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::group_id.eq(id))
        .execute(conn)?;
    let pairs: Vec<_> = members.iter().map(|user| (id, *user)).collect();
    join(conn, org, &pairs)
}

/// Sets the groups that a user is in.
///
/// # Errors
/// Those of the database.
pub fn set_of_user(
    conn: &mut PgConnection,
    org: Uuid,
    user: Uuid,
    groups: &[Uuid],
) -> Result<(), StoreError> {
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::user_id.eq(user))
        .execute(conn)?;
    let pairs: Vec<_> = groups.iter().map(|group| (*group, user)).collect();
    join(conn, org, &pairs)
}

/// The ids of the groups of these names, with the keys of the names.
///
/// # Errors
/// Those of the database.
pub fn named(
    conn: &mut PgConnection,
    org: Uuid,
    name_keys: &[String],
) -> Result<Vec<(String, Uuid)>, StoreError> {
    Ok(groups::table
        .filter(groups::org_id.eq(org))
        .filter(groups::name_key.eq_any(name_keys))
        .select((groups::name_key, groups::id))
        .load(conn)?)
}

/// All names, in alphabetical order.
///
/// # Errors
/// Those of the database.
pub fn names(conn: &mut PgConnection, org: Uuid) -> Result<Vec<String>, StoreError> {
    Ok(groups::table
        .filter(groups::org_id.eq(org))
        .order(groups::name_key)
        .select(groups::name)
        .load(conn)?)
}

/// Deletes a group; its members are in it no more.
///
/// # Errors
/// [`StoreError::Reference`] where something names it.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(groups::table)
        .filter(groups::org_id.eq(org))
        .filter(groups::id.eq(id))
        .execute(conn)?;
    Ok(())
}

fn join(conn: &mut PgConnection, org: Uuid, pairs: &[(Uuid, Uuid)]) -> Result<(), StoreError> {
    let rows: Vec<_> = pairs
        .iter()
        .map(|(group, user)| {
            (
                group_members::org_id.eq(org),
                group_members::group_id.eq(group),
                group_members::user_id.eq(user),
            )
        })
        .collect();
    diesel::insert_into(group_members::table).values(rows).execute(conn)?;
    Ok(())
}
