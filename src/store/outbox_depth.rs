//! How much waits in the outbox, over all orgs: for those who watch the instance.

use super::pool::Conn;
use crate::store::error::DbError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

/// What waits in a channel.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub(crate) struct Depth {
    /// `email` or `sms`.
    #[diesel(sql_type = Text)]
    pub channel: String,
    /// The messages that are due.
    #[diesel(sql_type = BigInt)]
    pub due: i64,
    /// For how long the oldest of them has been, in seconds.
    #[diesel(sql_type = Double)]
    pub oldest_seconds: f64,
}

/// What waits in each channel. Runs in a transaction over the queues of all orgs
/// (`db::over_queues`).
pub(crate) fn due(conn: &mut Conn) -> Result<Vec<Depth>, DbError> {
    // Both channels, also where nothing waits: a series that vanishes raises no alarm.
    diesel::sql_query(
        "SELECT channels.channel, count(o.id) AS due, \
                coalesce(extract(epoch FROM now() - min(o.next_attempt_at)), 0)::float8 \
                    AS oldest_seconds \
           FROM (VALUES ('email'), ('sms')) AS channels (channel) \
           LEFT JOIN outbox o ON o.channel = channels.channel \
                AND o.status IN ('pending', 'sending') AND o.next_attempt_at <= now() \
          GROUP BY channels.channel",
    )
    .load(conn)
}
