//! The lists that an org chooses from: sources, channels, deal stages, categories and packages.

use super::{Row, Rows, newest, statements};
use crate::store::error::StoreError;
use crate::store::schema::picklist_entries;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = picklist_entries)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Of equal positions the name decides.
    pub(crate) position: i32,
}

statements!(pub(crate) picklist_entries: delete);

pub(crate) fn list(
    conn: &mut PgConnection,
    org: Uuid,
    list: &str,
    rows: Rows,
    name_key: Option<&str>,
) -> Result<Vec<Row<Entry>>, StoreError> {
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

pub(crate) fn count(conn: &mut PgConnection, org: Uuid, list: &str) -> Result<i64, StoreError> {
    Ok(picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list))
        .count()
        .get_result(conn)?)
}

/// The position behind all others of a list.
pub(crate) fn end(conn: &mut PgConnection, org: Uuid, list: &str) -> Result<i32, StoreError> {
    let last: Option<i32> = picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list))
        .select(max(picklist_entries::position))
        .first(conn)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

pub(crate) fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    list: &str,
    entry: &Entry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(picklist_entries::table)
        .values((
            picklist_entries::org_id.eq(org),
            picklist_entries::id.eq(id),
            picklist_entries::list.eq(list),
            entry,
            picklist_entries::name_key.eq(fold(&entry.name)),
            picklist_entries::created_at.eq(now),
            picklist_entries::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub(crate) fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    entry: &Entry,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(picklist_entries::table)
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::id.eq(id))
        .set((
            entry,
            picklist_entries::name_key.eq(fold(&entry.name)),
            picklist_entries::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
