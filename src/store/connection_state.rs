//! What has become of connections, which is no setting: how far they have asked, what they heard last
//! (`connections.md` 1).

use super::schema::{connection_cursors, connections};
use crate::store::error::Result;
use crate::store::pool::Conn;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// Moves the cursor of a resource.
pub(crate) fn move_cursor(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    resource: &str,
    until: DateTime<Utc>,
) -> Result<()> {
    let moved = connection_cursors::until.eq(until);
    diesel::insert_into(connection_cursors::table)
        .values((
            connection_cursors::org_id.eq(org),
            connection_cursors::connection_id.eq(connection),
            connection_cursors::resource.eq(resource),
            moved,
        ))
        .on_conflict((
            connection_cursors::org_id,
            connection_cursors::connection_id,
            connection_cursors::resource,
        ))
        .do_update()
        .set(moved)
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
