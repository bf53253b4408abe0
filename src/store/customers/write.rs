//! Customers, new and changed.

use super::row::columns;
use crate::store::pool::Conn;
use crate::store::statement::Statement;
use beeiq_core::records::customer::Customer;
use diesel::prelude::*;
use uuid::Uuid;

/// What no change touches.
const FIXED: [&str; 5] = ["kind", "number", "source_id", "owner_id", "created_at"];

pub(in crate::store) fn insert(org: Uuid, customers: &[Customer]) -> Option<Statement<'_>> {
    (!customers.is_empty()).then(|| columns(org, customers).insert("customers"))
}

/// Writes all of them that can change: they are locked.
pub(in crate::store) fn update(
    conn: &mut Conn,
    org: Uuid,
    customers: &[Customer],
) -> QueryResult<()> {
    if !customers.is_empty() {
        columns(org, customers).update("customers", &FIXED).execute(conn)?;
    }
    Ok(())
}
