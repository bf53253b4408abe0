//! Locks by name, for what is no row: each lasts until its transaction ends.

use super::statement::statement;
use crate::store::pool::Conn;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Takes the lock of that name, unless another transaction has it: then false, at once.
pub(super) fn try_lock(conn: &mut Conn, name: &str) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let row: Row = statement("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked")
        .bind::<Text, _>(name)
        .get_result(conn)?;
    Ok(row.locked)
}

/// Takes the lock of that name, once no other transaction has it.
pub(super) fn lock(conn: &mut Conn, name: &str) -> QueryResult<()> {
    statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(name)
        .execute(conn)?;
    Ok(())
}
