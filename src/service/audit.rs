//! Who did it, as the audit log tells.

use crate::access::{Actor, Who};
use crate::store::audit::{self, Author, NewLine};
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use beeiq_core::records::audit::Action;
use serde_json::Value;

pub(crate) use crate::store::audit::Subject;

/// Writes a line, in the transaction of the change that it tells of.
pub(crate) fn record(
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    subject: Subject<'_>,
    changes: &Value,
) -> Result<(), StoreError> {
    let author = match &actor.who {
        Who::User(id) => Author::User(*id),
        Who::ApiKey { id, name } => Author::ApiKey { id: *id, name },
    };
    let address = actor.address;
    audit::record(conn, actor.org, NewLine { author, address, action, subject, changes })
}
