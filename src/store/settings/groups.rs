//! Groups of users.

use super::{Rows, statements};
use crate::store::error::StoreError;
use crate::store::schema::{group_members, groups};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

#[derive(QueryableByName)]
pub(crate) struct Group {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    /// Their e-mails, in alphabetical order.
    #[diesel(sql_type = Array<Text>)]
    pub(crate) members: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) created_at: DateTime<Utc>,
}

statements!(pub(crate) groups: count, delete);

pub(crate) fn list(
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

pub(crate) fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(groups::table)
        .values((
            groups::org_id.eq(org),
            groups::id.eq(id),
            groups::name.eq(name),
            groups::name_key.eq(fold(name)),
            groups::created_at.eq(now),
            groups::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub(crate) fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(groups::table)
        .filter(groups::org_id.eq(org))
        .filter(groups::id.eq(id))
        .set((groups::name.eq(name), groups::name_key.eq(fold(name)), groups::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

pub(crate) fn set_members(
    conn: &mut PgConnection,
    org: Uuid,
    group: Uuid,
    users: &[Uuid],
) -> Result<(), StoreError> {
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::group_id.eq(group))
        .execute(conn)?;
    join(conn, org, users.iter().map(|user| (group, *user)))
}

pub(crate) fn set_of_user(
    conn: &mut PgConnection,
    org: Uuid,
    user: Uuid,
    groups: &[Uuid],
) -> Result<(), StoreError> {
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::user_id.eq(user))
        .execute(conn)?;
    join(conn, org, groups.iter().map(|group| (*group, user)))
}

/// The ids of the groups of these names, with the keys of the names.
pub(crate) fn named(
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
pub(crate) fn names(conn: &mut PgConnection, org: Uuid) -> Result<Vec<String>, StoreError> {
    Ok(groups::table
        .filter(groups::org_id.eq(org))
        .order(groups::name_key)
        .select(groups::name)
        .load(conn)?)
}

fn join(
    conn: &mut PgConnection,
    org: Uuid,
    pairs: impl Iterator<Item = (Uuid, Uuid)>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = pairs
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
