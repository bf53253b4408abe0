//! How many deliveries wait to be applied, over all orgs: for those who watch the instance.

use super::pool::Conn;
use crate::store::error::DbError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Uuid as SqlUuid};
use uuid::Uuid;

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub(crate) struct Backlog {
    /// The deliveries that were deferred and have not been applied yet.
    #[diesel(sql_type = BigInt)]
    pub(crate) pending: i64,
    /// The oldest of them; as ids are UUID v7, it says when it came.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(crate) oldest: Option<Uuid>,
}

/// What waits to be applied. Runs in a transaction over the queues of all orgs (`pool::over_queues`).
pub(crate) fn pending(conn: &mut Conn) -> Result<Backlog, DbError> {
    // From the index of what is pending alone: rows have bodies. Postgres 15 has no smallest uuid;
    // as texts they are in the same order.
    diesel::sql_query(
        "SELECT count(*) AS pending, min(id::text)::uuid AS oldest \
           FROM deliveries WHERE status = 'pending'",
    )
    .get_result(conn)
}
