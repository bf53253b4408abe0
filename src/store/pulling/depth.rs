//! How far behind connections are, over all orgs: for those who watch the instance.

use crate::store::error::DbError;
use crate::store::pool::Conn;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};

/// How far behind they are.
#[derive(Clone, Copy, Debug, PartialEq, QueryableByName)]
pub(crate) struct Lag {
    /// The age of the cursor that is furthest behind, of those that are moved at all.
    #[diesel(sql_type = Nullable<Double>)]
    pub(crate) oldest_cursor_seconds: Option<f64>,
    /// The connections that have had no success for a day, and are to have one.
    #[diesel(sql_type = BigInt)]
    pub(crate) without_success: i64,
}

/// How far behind connections are that are asked. Runs in a transaction over the queues of all orgs
/// (`pool::over_queues`).
pub(crate) fn lag(conn: &mut Conn) -> Result<Lag, DbError> {
    diesel::sql_query(
        "SELECT (SELECT extract(epoch FROM now() - min(until))::float8 \
                 FROM connection_cursors JOIN connections \
                     ON connections.org_id = connection_cursors.org_id \
                     AND connections.id = connection_cursors.connection_id \
                 WHERE enabled) AS oldest_cursor_seconds, \
             (SELECT count(*) FROM connections \
              WHERE enabled AND next_run_at IS NOT NULL \
                  AND coalesce(last_success_at, created_at) < now() - interval '24 hours') \
                 AS without_success",
    )
    .get_result(conn)
}
