//! The accounts that an org's e-mail and SMS go through: their secrets are written and never read
//! (`api.md` 4).

use super::settings::{Edit, Subject};
use crate::access::secrets::Keyring;
use crate::problem::{Problem, Result};
use crate::send;
use crate::store::directory;
use crate::store::outbox;
use crate::store::pool::Conn;
use crate::store::settings::message_accounts;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{self, Action};
use beeiq_core::records::message::Channel;
use beeiq_core::values::masking::{self, MASK, Secrets};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An account that is set up.
pub(crate) struct Kept {
    /// As it is shown, a mask for each secret.
    pub(crate) shown: Value,
    secrets: Secrets,
    pub(crate) updated_at: DateTime<Utc>,
}

/// The org's account.
pub(crate) fn kept(
    conn: &mut Conn,
    key: &Keyring,
    org: Uuid,
    channel: Channel,
) -> Result<Option<Kept>> {
    let Some(row) = message_accounts::find(conn, org, channel)? else { return Ok(None) };
    // Sealed with another key they are as good as gone, and asked for anew when something changes.
    let secrets = send::opened(key, org, channel, &row).unwrap_or_default();
    Ok(Some(Kept { shown: row.settings, secrets, updated_at: row.updated_at }))
}

/// `merged` with the kept secrets where it has masks.
/// 422 for a mask without a secret: there is none, or it would go to another place than the one
/// that it was given for (`moved`).
pub(crate) fn with_secrets(
    merged: Value,
    channel: Channel,
    kept: Option<&Kept>,
    moved: bool,
) -> Result<Value> {
    let places = send::secret_places(channel, &merged);
    let none = Secrets::new();
    let secrets = kept.filter(|_| !moved).map_or(&none, |kept| &kept.secrets);
    let (full, missing) = masking::joined(merged, &places, secrets);
    if missing.is_empty() {
        return Ok(full);
    }
    let message = if moved {
        "It was given for another place. Give it anew, or null to leave it out."
    } else {
        "This is what stands for a secret, and there is none. Give the secret itself."
    };
    let fault = |place| Fault::new(Code::Required, place, message);
    Err(Problem::fields(missing.into_iter().map(fault).collect()))
}

/// Changes the account into what `wanted` makes of it, secrets in it.
pub(crate) fn change(
    edit: &mut Edit<'_>,
    key: &Keyring,
    channel: Channel,
    wanted: impl FnOnce(Option<&Kept>) -> Result<Value>,
) -> Result<Kept> {
    // First, so that two changes at once wait for each other.
    directory::bump(edit.conn, edit.org)?;
    let before = kept(edit.conn, key, edit.org, channel)?;
    let full = wanted(before.as_ref())?;
    let places = send::secret_places(channel, &full);
    let (shown, secrets) = masking::split(full, &places);
    let json = serde_json::to_vec(&secrets).map_err(|error| {
        tracing::error!(%error, "the secrets of an account cannot be written");
        Problem::new(Code::Internal, "The account cannot be kept; this has been logged.")
    })?;
    let place = message_accounts::secrets_place(edit.org, channel);
    let sealed = key.seal(&place, &json);
    message_accounts::put(edit.conn, edit.org, channel, &shown, &sealed, edit.now)?;
    // What was refused with the old account may go through with this one.
    outbox::clear_pause(edit.conn, edit.org, channel)?;
    let kept = Kept { shown, secrets, updated_at: edit.now };
    let action = if before.is_some() { Action::Changed } else { Action::Created };
    record(edit, channel, action, &changes(before.as_ref(), Some(&kept)))?;
    Ok(kept)
}

/// Goes back to the instance's account, with a line in the audit log where there was another.
pub(crate) fn delete(edit: &mut Edit<'_>, key: &Keyring, channel: Channel) -> Result<()> {
    directory::bump(edit.conn, edit.org)?;
    let before = kept(edit.conn, key, edit.org, channel)?;
    if message_accounts::delete(edit.conn, edit.org, channel)? {
        outbox::clear_pause(edit.conn, edit.org, channel)?;
        record(edit, channel, Action::Deleted, &changes(before.as_ref(), None))?;
    }
    Ok(())
}

/// What differs. Of a secret that is another now, only that it is.
fn changes(before: Option<&Kept>, after: Option<&Kept>) -> Value {
    let shown = |kept: Option<&Kept>| kept.map_or(Value::Null, |kept| kept.shown.clone());
    let mut changes = audit::changes(&shown(before), &shown(after));
    let (Some(before), Some(after), Some(told)) = (before, after, changes.as_object_mut()) else {
        return changes;
    };
    for (place, secret) in &after.secrets {
        if before.secrets.get(place).is_some_and(|old| old != secret) {
            let field = place.split('/').nth(1).unwrap_or_default().to_owned();
            told.entry(field).or_insert_with(|| json!({"from": MASK, "to": MASK}));
        }
    }
    changes
}

fn record(edit: &mut Edit<'_>, channel: Channel, action: Action, changes: &Value) -> Result<()> {
    if changes.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    let subject = Subject { resource: channel.as_str(), id: "", name: channel.as_str() };
    Ok(edit.log(action, subject, changes)?)
}
