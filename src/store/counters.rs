//! The counters that visible numbers come from.

use super::pool::in_org;
use super::schema::{deals, org_counters};
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use diesel::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

/// Takes `size` numbers of the counter `name` for good, in a transaction of its own, and returns
/// the first of them.
pub(crate) fn take_block(conn: &mut Conn, org: Uuid, name: &str, size: i64) -> Result<i64> {
    let after: i64 = in_org(conn, org, |conn| {
        diesel::insert_into(org_counters::table)
            .values((
                org_counters::org_id.eq(org),
                org_counters::name.eq(name),
                org_counters::next_value.eq(1 + size),
            ))
            .on_conflict((org_counters::org_id, org_counters::name))
            .do_update()
            .set(org_counters::next_value.eq(org_counters::next_value + size))
            .returning(org_counters::next_value)
            .get_result(conn)
    })
    .map_err(StoreError::from)?;
    Ok(after - size)
}

/// Which of the numbers are the visible id of a deal.
pub(crate) fn taken_deal_ids(
    conn: &mut Conn,
    org: Uuid,
    numbers: &[i64],
) -> Result<HashSet<String>> {
    let ids: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let taken: Vec<String> = in_org(conn, org, |conn| {
        deals::table
            .filter(deals::org_id.eq(org))
            .filter(deals::deal_id.eq_any(ids))
            .select(deals::deal_id)
            .load(conn)
    })
    .map_err(StoreError::from)?;
    Ok(taken.into_iter().collect())
}
