//! Leases: which connection is due, and whose its run is.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::statement::statement;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// Whose turn has come, and nobody is at.
const IS_DUE: &str = "next_run_at <= now() AND enabled AND paused_code IS NULL \
                      AND coalesce(lease_until <= now(), true)";

/// A connection that is the caller's to run until its lease ends.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) connection: Uuid,
    /// The run, which is also the lease.
    #[diesel(sql_type = SqlUuid)]
    pub(crate) run: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) since: DateTime<Utc>,
    /// How many runs before it failed in a row for a reason that may pass.
    #[diesel(sql_type = Integer)]
    pub(crate) failures: i32,
    #[diesel(sql_type = diesel::sql_types::Binary)]
    pub(crate) secret_sealed: Vec<u8>,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) resources: Vec<String>,
    #[diesel(sql_type = Array<Timestamptz>)]
    pub(crate) cursors: Vec<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct OrgRow {
    #[diesel(sql_type = SqlUuid)]
    org_id: Uuid,
}

/// The orgs after `after`, in order, that have a connection due; to be read within
/// `pool::over_queues`.
pub(crate) fn due_orgs(conn: &mut Conn, after: Option<Uuid>, most: i64) -> Result<Vec<Uuid>> {
    let rows: Vec<OrgRow> = diesel::sql_query(format!(
        "SELECT DISTINCT org_id FROM connections WHERE {IS_DUE} AND org_id > $1 \
         ORDER BY org_id LIMIT $2"
    ))
    .bind::<SqlUuid, _>(after.unwrap_or_default())
    .bind::<BigInt, _>(most)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.org_id).collect())
}

/// Claims the connection of an org that has been due longest, for a run: the one that was asked for,
/// else `run`. A run whose process has ended is over.
pub(crate) fn claim(
    conn: &mut Conn,
    org: Uuid,
    run: Uuid,
    lease: Duration,
) -> Result<Option<Claimed>> {
    let claimed: Option<Claimed> = diesel::sql_query(format!(
        "WITH due AS ( \
             SELECT id FROM connections WHERE org_id = $1 AND {IS_DUE} \
             ORDER BY next_run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
         UPDATE connections SET lease_id = coalesce(run_requested, $2), run_requested = NULL, \
             lease_until = now() + make_interval(secs => $3), last_run_at = now() \
         FROM due WHERE connections.org_id = $1 AND connections.id = due.id \
         RETURNING connections.id AS connection, lease_id AS run, since, failures, secret_sealed, \
             ARRAY(SELECT resource FROM connection_cursors AS it \
                 WHERE it.org_id = $1 AND it.connection_id = due.id ORDER BY resource) AS resources, \
             ARRAY(SELECT until FROM connection_cursors AS it \
                 WHERE it.org_id = $1 AND it.connection_id = due.id ORDER BY resource) AS cursors"
    ))
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(run)
    .bind::<Double, _>(lease.as_secs_f64())
    .get_result(conn)
    .optional()?;
    if let Some(Claimed { connection, run, .. }) = &claimed {
        statement(
            "UPDATE connection_runs SET status = 'failed', ended_at = now(), \
                 error = '{\"code\": \"interrupted\", \"message\": \"Its process ended meanwhile; the \
                     next run goes on where it stood.\"}' \
             WHERE org_id = $1 AND connection_id = $2 AND status = 'running' AND id <> $3",
        )
        .bind::<SqlUuid, _>(org)
        .bind::<SqlUuid, _>(*connection)
        .bind::<SqlUuid, _>(*run)
        .execute(conn)?;
        statement(
            "INSERT INTO connection_runs (org_id, connection_id, id, started_at, status) \
             VALUES ($1, $2, $3, now(), 'running') \
             ON CONFLICT (org_id, id) DO UPDATE SET started_at = now()",
        )
        .bind::<SqlUuid, _>(org)
        .bind::<SqlUuid, _>(*connection)
        .bind::<SqlUuid, _>(*run)
        .execute(conn)?;
    }
    Ok(claimed)
}

/// Makes a lease last for so long from now; whether it is still the caller's, and the connection
/// still to be asked.
pub(crate) fn renew(
    conn: &mut Conn,
    org: Uuid,
    claimed: &Claimed,
    lease: Duration,
) -> Result<bool> {
    let renewed = statement(
        "UPDATE connections SET lease_until = now() + make_interval(secs => $4) \
         WHERE org_id = $1 AND id = $2 AND lease_id = $3 AND enabled AND paused_code IS NULL",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(claimed.connection)
    .bind::<SqlUuid, _>(claimed.run)
    .bind::<Double, _>(lease.as_secs_f64())
    .execute(conn)?;
    Ok(renewed == 1)
}

/// What is left of a run with its connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    /// When it is asked again.
    pub(crate) again_in: Duration,
    pub(crate) failures: i32,
    /// Whether all has been had.
    pub(crate) succeeded: bool,
    /// Why nothing is asked any more.
    pub(crate) paused: Option<&'static str>,
    /// Code and message; `None` leaves it as it was where the run did not succeed.
    pub(crate) error: Option<(&'static str, String)>,
}

/// Gives a lease back, with what came of it; nothing where it is another's meanwhile.
pub(crate) fn settle(
    conn: &mut Conn,
    org: Uuid,
    claimed: &Claimed,
    settled: &Settled,
) -> Result<()> {
    let Settled { again_in, failures, succeeded, paused, error } = settled;
    let error = error.as_ref().map(|(code, message)| serde_json::json!([code, message]));
    statement(
        "UPDATE connections SET lease_id = NULL, lease_until = NULL, failures = $5, \
             next_run_at = now() + make_interval(secs => $4), \
             paused_code = coalesce($7, paused_code), \
             last_success_at = CASE WHEN $6 THEN now() ELSE last_success_at END, \
             last_error_code = CASE WHEN $8 IS NOT NULL THEN $8 ->> 0 \
                 WHEN $6 THEN NULL ELSE last_error_code END, \
             last_error_message = CASE WHEN $8 IS NOT NULL THEN $8 ->> 1 \
                 WHEN $6 THEN NULL ELSE last_error_message END, \
             last_error_at = CASE WHEN $8 IS NOT NULL THEN now() \
                 WHEN $6 THEN NULL ELSE last_error_at END \
         WHERE org_id = $1 AND id = $2 AND lease_id = $3",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(claimed.connection)
    .bind::<SqlUuid, _>(claimed.run)
    .bind::<Double, _>(again_in.as_secs_f64())
    .bind::<Integer, _>(*failures)
    .bind::<Bool, _>(*succeeded)
    .bind::<Nullable<Text>, _>(*paused)
    .bind::<Nullable<Jsonb>, Option<Value>>(error)
    .execute(conn)?;
    Ok(())
}
