//! The lists that an org chooses from: sources, channels, deal stages, categories and packages.

use super::{Row, Rows, newest, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::picklist_entries;
use diesel::dsl::max;
use diesel::prelude::*;
use uuid::Uuid;

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = picklist_entries)]
pub(crate) struct Entry {
    pub(crate) list: String,
    pub(crate) name: String,
    /// Of equal positions the name decides.
    pub(crate) position: i32,
}

statements!(
    pub(crate) picklist_entries: create(Entry; name_key, updated_at),
    update(Entry; name_key, updated_at), delete
);

pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    list: &str,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Row<Entry>>> {
    let of_list = picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list));
    let mut query = newest!(of_list, picklist_entries, rows);
    if let Some(key) = name_key {
        query = query.filter(picklist_entries::name_key.eq(key));
    }
    let columns = (picklist_entries::id, Entry::as_select(), picklist_entries::created_at);
    Ok(query.select(columns).load(conn)?)
}

pub(crate) fn count(conn: &mut Conn, org: Uuid, list: &str) -> Result<i64> {
    Ok(picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list))
        .count()
        .get_result(conn)?)
}

/// The position behind all others of a list.
pub(crate) fn end(conn: &mut Conn, org: Uuid, list: &str) -> Result<i32> {
    let last: Option<i32> = picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list))
        .select(max(picklist_entries::position))
        .first(conn)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}
