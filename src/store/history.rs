//! What happened to a record, a line an event.

use super::schema::{connections, history, listeners, users};
use crate::store::error::Result;
use crate::store::pool::Conn;
use beeiq_core::batch::Subject;
use beeiq_core::records::history::Kept;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

/// A line of history with what it names.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its id, ascending in time.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The e-mail of the user who did it, or in whose name it was done.
    pub actor_email: Option<String>,
    /// The listener by which it came, unless that has been deleted.
    pub listener: Option<(Uuid, String)>,
    /// The connection through which it came.
    pub connection: Option<(Uuid, String, String)>,
    /// The request that caused it.
    pub request_id: Option<Uuid>,
    /// What the event tells.
    pub event: Kept,
}

type Row = (
    Uuid,
    DateTime<Utc>,
    (String, Value),
    Option<String>,
    Option<(Uuid, String)>,
    Option<(Uuid, String, String)>,
    Option<Uuid>,
);

/// A page of a record's history, newest first; `before` is the last id of the page before. Whether
/// the caller may see the record is for the `find_id` of its kind to say first.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut Conn,
    org: Uuid,
    subject: Subject,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Line>> {
    let its_actor =
        users::org_id.eq(history::org_id).and(users::id.nullable().eq(history::actor_id));
    let its_listener = listeners::org_id
        .eq(history::org_id)
        .and(listeners::id.nullable().eq(history::listener_id));
    let its_connection = connections::org_id
        .eq(history::org_id)
        .and(connections::id.nullable().eq(history::connection_id));
    let mut lines = history::table
        .left_join(users::table.on(its_actor))
        .left_join(listeners::table.on(its_listener))
        .left_join(connections::table.on(its_connection))
        .filter(history::org_id.eq(org))
        .into_boxed();
    lines = match subject {
        Subject::Customer(id) => lines.filter(history::customer_id.eq(id)),
        Subject::Deal(id) => lines.filter(history::deal_id.eq(id)),
        Subject::Ticket(id) => lines.filter(history::ticket_id.eq(id)),
    };
    if let Some(before) = before {
        lines = lines.filter(history::id.lt(before));
    }
    let found = lines.order(history::id.desc()).limit(limit).select((
        history::id,
        history::at,
        (history::kind, history::details),
        users::email.nullable(),
        (listeners::id, listeners::name).nullable(),
        (connections::id, connections::name, connections::kind).nullable(),
        history::request_id,
    ));
    let rows: Vec<Row> = found.load(conn)?;
    let line =
        |(id, at, (kind, details), actor_email, listener, connection, request_id): Row| Line {
            id,
            at,
            event: Kept::read(kind, details),
            actor_email,
            listener,
            connection,
            request_id,
        };
    Ok(rows.into_iter().map(line).collect())
}
