//! What people decide about a message: that it is tried again, or not sent.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{outbox, outbox_pauses};
use crate::store::word::Stored;
use beeiq_core::records::message::{Channel, Status};
use diesel::dsl::now;
use diesel::prelude::*;
use uuid::Uuid;

/// What came of a person's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Done,
    /// A message of that status cannot.
    Refused(Status),
    Unknown,
}

/// Makes a message due now, with all its tries before it where it had been given up; its channel
/// is no longer paused.
pub(crate) fn retry(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Decision> {
    let Some((status, channel)) = locked(conn, org, id)? else { return Ok(Decision::Unknown) };
    if !status.can_be_retried() {
        return Ok(Decision::Refused(status));
    }
    let message = outbox::table.filter(outbox::org_id.eq(org)).filter(outbox::id.eq(id));
    let given_up = status != Status::Pending;
    diesel::update(message)
        .set((
            outbox::status.eq(Status::Pending.as_str()),
            outbox::next_attempt_at.eq(now),
            given_up.then_some(outbox::attempts.eq(0)),
        ))
        .execute(conn)?;
    clear_pause(conn, org, channel)?;
    Ok(Decision::Done)
}

/// Sees to it that a message is not sent.
pub(crate) fn cancel(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Decision> {
    let Some((status, _)) = locked(conn, org, id)? else { return Ok(Decision::Unknown) };
    if !status.can_be_cancelled() {
        return Ok(Decision::Refused(status));
    }
    diesel::update(outbox::table.filter(outbox::org_id.eq(org)).filter(outbox::id.eq(id)))
        .set(outbox::status.eq(Status::Cancelled.as_str()))
        .execute(conn)?;
    Ok(Decision::Done)
}

/// Ends the pause of a channel: its account may be another now.
pub(crate) fn clear_pause(conn: &mut Conn, org: Uuid, channel: Channel) -> Result<()> {
    diesel::delete(outbox_pauses::table)
        .filter(outbox_pauses::org_id.eq(org))
        .filter(outbox_pauses::channel.eq(channel.as_str()))
        .execute(conn)?;
    Ok(())
}

/// The message's status and channel, kept from being claimed until the transaction ends.
fn locked(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<(Status, Channel)>> {
    let row: Option<(Stored<Status>, Stored<Channel>)> = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::id.eq(id))
        .select((outbox::status, outbox::channel))
        .for_update()
        .first(conn)
        .optional()?;
    Ok(row.map(|(Stored(status), Stored(channel))| (status, channel)))
}
