//! Groups of users.

use super::{Rows, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{group_members, groups};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use uuid::Uuid;

#[derive(QueryableByName)]
#[diesel(table_name = groups)]
pub(crate) struct Group {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Their e-mails, in alphabetical order.
    #[diesel(sql_type = Array<Text>)]
    pub(crate) members: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// What of a group can be set, but its members.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = groups)]
pub(crate) struct GroupValues<'a> {
    pub(crate) name: &'a str,
}

statements!(
    pub(crate) groups: count, create(GroupValues<'_>; name_key, updated_at),
    update(GroupValues<'_>; name_key, updated_at), delete
);

pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Group>> {
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

pub(crate) fn set_members(conn: &mut Conn, org: Uuid, group: Uuid, users: &[Uuid]) -> Result<()> {
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::group_id.eq(group))
        .execute(conn)?;
    join(conn, org, users.iter().map(|user| (group, *user)))
}

pub(crate) fn set_of_user(conn: &mut Conn, org: Uuid, user: Uuid, groups: &[Uuid]) -> Result<()> {
    diesel::delete(group_members::table)
        .filter(group_members::org_id.eq(org))
        .filter(group_members::user_id.eq(user))
        .execute(conn)?;
    join(conn, org, groups.iter().map(|group| (*group, user)))
}

/// The ids of the groups of these names, with the keys of the names.
pub(crate) fn named(
    conn: &mut Conn,
    org: Uuid,
    name_keys: &[String],
) -> Result<Vec<(String, Uuid)>> {
    Ok(groups::table
        .filter(groups::org_id.eq(org))
        .filter(groups::name_key.eq_any(name_keys))
        .select((groups::name_key, groups::id))
        .load(conn)?)
}

/// All names, in alphabetical order.
pub(crate) fn names(conn: &mut Conn, org: Uuid) -> Result<Vec<String>> {
    Ok(groups::table
        .filter(groups::org_id.eq(org))
        .order(groups::name_key)
        .select(groups::name)
        .load(conn)?)
}

fn join(conn: &mut Conn, org: Uuid, pairs: impl Iterator<Item = (Uuid, Uuid)>) -> Result<()> {
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
