//! Runs, as they are kept.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{connection_runs, connections};
use crate::store::statement::statement;
use crate::store::word::Stored;
use beeiq_core::records::connection::RunStatus;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

/// So many of a connection are kept.
const KEPT: i32 = 1_000;

/// A run, as it is read.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = connection_runs, check_for_backend(Pg))]
pub(crate) struct Run {
    pub(crate) id: Uuid,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    pub(crate) status: Stored<RunStatus>,
    pub(crate) requests: i32,
    pub(crate) items: i32,
    pub(crate) created: i32,
    pub(crate) updated: i32,
    pub(crate) unchanged: i32,
    pub(crate) failed: i32,
    pub(crate) error: Option<Value>,
    pub(crate) resources: Value,
}

/// How much a run has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunCounts {
    pub(crate) requests: u32,
    pub(crate) items: u32,
    pub(crate) created: u32,
    pub(crate) updated: u32,
    pub(crate) unchanged: u32,
    pub(crate) failed: u32,
}

/// Whether there is such a connection.
pub(crate) fn exists(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<bool> {
    let there = connections::table
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection));
    Ok(diesel::select(diesel::dsl::exists(there)).get_result(conn)?)
}

/// The runs of a connection, newest first; `before` is the last id of the page before.
pub(crate) fn page(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Run>> {
    let runs = connection_runs::table
        .filter(connection_runs::org_id.eq(org))
        .filter(connection_runs::connection_id.eq(connection))
        .filter(connection_runs::id.lt(before.unwrap_or(Uuid::max())))
        .order(connection_runs::id.desc())
        .limit(limit)
        .select(Run::as_select())
        .load(conn)?;
    Ok(runs)
}

/// Notes that somebody has asked for that run, at once.
pub(crate) fn begin_requested(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    run: Uuid,
) -> Result<()> {
    statement(
        "WITH requested AS ( \
             UPDATE connections SET run_requested = $3, next_run_at = now() \
             WHERE org_id = $1 AND id = $2 RETURNING id) \
         INSERT INTO connection_runs (org_id, connection_id, id, started_at, status) \
         SELECT $1, id, $3, now(), 'running' FROM requested",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(connection)
    .bind::<SqlUuid, _>(run)
    .execute(conn)?;
    Ok(())
}

/// Notes how far a run has come.
pub(crate) fn progress(conn: &mut Conn, org: Uuid, run: Uuid, counts: RunCounts) -> Result<()> {
    let RunCounts { requests, items, created, updated, unchanged, failed } = counts;
    let stored = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    diesel::update(connection_runs::table)
        .filter(connection_runs::org_id.eq(org))
        .filter(connection_runs::id.eq(run))
        .set((
            connection_runs::requests.eq(stored(requests)),
            connection_runs::items.eq(stored(items)),
            connection_runs::created.eq(stored(created)),
            connection_runs::updated.eq(stored(updated)),
            connection_runs::unchanged.eq(stored(unchanged)),
            connection_runs::failed.eq(stored(failed)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a run, and forgets those that are too many.
pub(crate) fn finish(
    conn: &mut Conn,
    org: Uuid,
    (connection, run): (Uuid, Uuid),
    status: RunStatus,
    error: Option<Value>,
    resources: Value,
) -> Result<()> {
    statement(
        "UPDATE connection_runs SET status = $3, ended_at = now(), error = $4, resources = $5 \
         WHERE org_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(status.as_str())
    .bind::<Nullable<Jsonb>, _>(error)
    .bind::<Jsonb, _>(resources)
    .execute(conn)?;
    statement(
        "DELETE FROM connection_runs WHERE org_id = $1 AND connection_id = $2 AND id <= ( \
             SELECT id FROM connection_runs WHERE org_id = $1 AND connection_id = $2 \
             ORDER BY id DESC OFFSET $3 LIMIT 1)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(connection)
    .bind::<Integer, _>(KEPT)
    .execute(conn)?;
    Ok(())
}
