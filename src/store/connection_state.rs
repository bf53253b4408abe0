//! What has become of connections, which is no setting: how far they have asked, what they heard last
//! (`connections.md` 1).

use super::schema::connections;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::statement::statement;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Moves the cursor of a resource, as long as the run holds its connection.
pub(crate) fn move_cursor(
    conn: &mut Conn,
    org: Uuid,
    (connection, run): (Uuid, Uuid),
    resource: &str,
    until: DateTime<Utc>,
) -> Result<()> {
    statement(
        "INSERT INTO connection_cursors (org_id, connection_id, resource, until) \
         SELECT org_id, id, $4, $5 FROM connections \
         WHERE org_id = $1 AND id = $2 AND lease_id = $3 FOR SHARE \
         ON CONFLICT (org_id, connection_id, resource) DO UPDATE SET until = excluded.until",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(connection)
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(resource)
    .bind::<Timestamptz, _>(until)
    .execute(conn)?;
    Ok(())
}

/// The secret of a connection, sealed.
pub(crate) fn secret(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<Option<Vec<u8>>> {
    let found = connections::table
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .select(connections::secret_sealed)
        .first(conn)
        .optional()?;
    Ok(found)
}

/// Notes why a connection takes or gets nothing. The same reason is noted once a minute at most: who
/// sends nonsense without end makes no row busy.
pub(crate) fn note_error(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    code: &str,
    message: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .filter(
            connections::last_error_code
                .is_distinct_from(code)
                .or(connections::last_error_at.le(at - TimeDelta::minutes(1))),
        )
        .set((
            connections::last_error_code.eq(code),
            connections::last_error_message.eq(message),
            connections::last_error_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that a system has told something, to about ten seconds: whatever was wrong before is over.
pub(crate) fn note_heard(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .filter(
            connections::last_heard_at
                .is_null()
                .or(connections::last_heard_at.lt(at - TimeDelta::seconds(10)))
                .or(connections::last_error_code.is_not_null()),
        )
        .set((
            connections::last_heard_at.eq(at),
            connections::last_success_at.eq(at),
            connections::last_error_code.eq(None::<String>),
            connections::last_error_message.eq(None::<String>),
            connections::last_error_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)?;
    Ok(())
}
