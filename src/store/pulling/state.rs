//! A connection as whoever wants it asked sees it.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{connection_cursors, connections};
use crate::store::statement::statement;
use crate::store::word::Stored;
use beeiq_core::records::connection::Source;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// What there is to know before it is asked.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: Source,
    pub(crate) enabled: bool,
    pub(crate) paused: bool,
    /// Whether a run is under way, or waits for a worker.
    pub(crate) running: bool,
    pub(crate) secret_sealed: Vec<u8>,
    /// When one that pushes last told something.
    pub(crate) last_heard_at: Option<DateTime<Utc>>,
}

type StateRow = (
    Stored<Source>,
    bool,
    Option<String>,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    Vec<u8>,
    Option<DateTime<Utc>>,
);

/// A connection, not changed by others until the transaction ends.
pub(crate) fn state(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<State>> {
    let found: Option<StateRow> = connections::table
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .select((
            connections::kind,
            connections::enabled,
            connections::paused_code,
            connections::lease_until,
            connections::run_requested,
            connections::secret_sealed,
            connections::last_heard_at,
        ))
        .for_update()
        .first(conn)
        .optional()?;
    Ok(found.map(|(Stored(kind), enabled, paused, lease, requested, sealed, heard)| State {
        kind,
        enabled,
        paused: paused.is_some(),
        running: requested.is_some() || lease.is_some_and(|until| now < until),
        secret_sealed: sealed,
        last_heard_at: heard,
    }))
}

/// Takes a connection away from the run that is under way: that changes nothing of it any more, and
/// ends. It is asked again once the lease of that has ended.
pub(crate) fn take_away(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<()> {
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .set(connections::lease_id.eq(None::<Uuid>))
        .execute(conn)?;
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .filter(connections::next_run_at.is_not_null())
        .set(connections::next_run_at.eq(diesel::dsl::now))
        .execute(conn)?;
    Ok(())
}

/// Lets a connection be asked from its `since` on again. A run that is under way moves no cursor any
/// more, and ends.
pub(crate) fn forget_cursors(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<()> {
    take_away(conn, org, connection)?;
    diesel::delete(connection_cursors::table)
        .filter(connection_cursors::org_id.eq(org))
        .filter(connection_cursors::connection_id.eq(connection))
        .execute(conn)?;
    Ok(())
}

/// The ids of conversations of iAdvize that began after that and have not been closed as far as is
/// known here; so many at most, the newest first.
pub(crate) fn open_conversations(
    conn: &mut Conn,
    org: Uuid,
    after: DateTime<Utc>,
    most: i64,
) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Open {
        #[diesel(sql_type = Text)]
        external_id: String,
    }
    let open: Vec<Open> = statement(
        "SELECT external_id FROM activities \
         WHERE org_id = $1 AND source = 'iadvize' AND ended_at IS NULL AND started_at > $2 \
             AND external_id >= 'conversation:' AND external_id < 'conversation;' \
         ORDER BY started_at DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Timestamptz, _>(after)
    .bind::<BigInt, _>(most)
    .load(conn)?;
    let id = |open: Open| open.external_id.strip_prefix("conversation:").map(str::to_owned);
    Ok(open.into_iter().filter_map(id).collect())
}
