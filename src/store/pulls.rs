//! How far a connection has asked for what its system knows (`connections.md` 1).

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::statement::statement;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Moves the cursor of a resource.
pub(crate) fn move_cursor(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    resource: &str,
    until: DateTime<Utc>,
) -> Result<()> {
    statement(
        "INSERT INTO connection_cursors (org_id, connection_id, resource, until) \
         VALUES ($1, $2, $3, $4) \
         ON CONFLICT (org_id, connection_id, resource) DO UPDATE SET until = excluded.until",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(connection)
    .bind::<Text, _>(resource)
    .bind::<Timestamptz, _>(until)
    .execute(conn)?;
    Ok(())
}
