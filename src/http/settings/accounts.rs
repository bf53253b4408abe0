//! What `/settings/email` and `/settings/sms` have in common: an account with secrets that are
//! written and never read (`api.md` 4).

use crate::access::Actor;
use crate::app::App;
use crate::clock;
use crate::http::etag;
use crate::problem::Problem;
use crate::send::{self, AccountError, Outcome};
use crate::store::audit::Subject;
use crate::store::pool::Conn;
use crate::store::{message_accounts, outbox};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{self, Action};
use beeiq_core::records::message::Channel;
use beeiq_core::values::masking::{self, MASK, Secrets};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// An account that is set up.
pub(super) struct Kept {
    /// As it is shown, a mask for each secret.
    pub(super) shown: Value,
    secrets: Secrets,
    updated_at: DateTime<Utc>,
}

/// The org's account.
pub(super) fn kept(
    app: &App,
    conn: &mut Conn,
    org: Uuid,
    channel: Channel,
) -> Result<Option<Kept>, Problem> {
    let Some(row) = message_accounts::find(conn, org, channel)? else { return Ok(None) };
    // Sealed with another key they are as good as gone, and asked for anew when something changes.
    let secrets = send::opened(&app.key, org, channel, &row).unwrap_or_default();
    Ok(Some(Kept { shown: row.settings, secrets, updated_at: row.updated_at }))
}

/// The tag of what a change could overwrite. A new secret changes it, too.
pub(super) fn etag(kept: Option<&Kept>) -> String {
    etag::of(&kept.map(|kept| (&kept.shown, kept.updated_at)))
}

/// `merged` with the kept secrets where it has masks.
///
/// # Errors
/// 422 for a mask without a secret: there is none, or it would go to another place than the one
/// that it was given for (`moved`).
pub(super) fn with_secrets(
    merged: Value,
    channel: Channel,
    kept: Option<&Kept>,
    moved: bool,
) -> Result<Value, Problem> {
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

/// `value` without its fields that are null.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, it)| !it.is_null()).collect(),
        other => other,
    }
}

/// `blank`, which has every field, with those of `shown`.
pub(super) fn with_all_fields(mut blank: Value, shown: Option<&Value>) -> Value {
    if let (Some(fields), Some(set)) = (blank.as_object_mut(), shown.and_then(Value::as_object)) {
        fields.extend(set.clone());
    }
    blank
}

/// Keeps an account, secrets sealed, with a line in the audit log.
pub(super) fn save(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    channel: Channel,
    before: Option<&Kept>,
    full: Value,
) -> Result<Kept, Problem> {
    let now = clock::now();
    let places = send::secret_places(channel, &full);
    let (shown, secrets) = masking::split(full, &places);
    let json = serde_json::to_vec(&secrets).map_err(|error| {
        tracing::error!(%error, "the secrets of an account cannot be written");
        Problem::new(Code::Internal, "The account cannot be kept; this has been logged.")
    })?;
    let place = message_accounts::secrets_place(actor.org, channel);
    let sealed = app.key.seal(&place, &json);
    message_accounts::put(conn, actor.org, channel, &shown, &sealed, now)?;
    // What was refused with the old account may go through with this one.
    outbox::clear_pause(conn, actor.org, channel)?;
    let kept = Kept { shown, secrets, updated_at: now };
    let action = if before.is_some() { Action::Changed } else { Action::Created };
    record(conn, actor, channel, action, &changes(before, Some(&kept)))?;
    Ok(kept)
}

/// Goes back to the instance's account, with a line in the audit log where there was another.
pub(super) fn delete(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    channel: Channel,
) -> Result<(), Problem> {
    let before = kept(app, conn, actor.org, channel)?;
    if message_accounts::delete(conn, actor.org, channel)? {
        outbox::clear_pause(conn, actor.org, channel)?;
        record(conn, actor, channel, Action::Deleted, &changes(before.as_ref(), None))?;
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

fn record(
    conn: &mut Conn,
    actor: &Actor,
    channel: Channel,
    action: Action,
    changes: &Value,
) -> Result<(), Problem> {
    if changes.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    let subject = Subject { resource: channel.as_str(), id: "", name: channel.as_str() };
    Ok(crate::store::audit::record(conn, actor, action, subject, changes)?)
}

/// Whom to send a message that tries the account out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// An e-mail address, or a phone number.
    #[schema(example = "0905000001")]
    pub(super) to: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialReport {
    status: TrialStatus,
    /// What the provider answered, or why nothing was sent.
    #[schema(example = "HTTP 201: queued")]
    response: String,
}

/// Whether the message was taken.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrialStatus {
    /// The provider took it.
    Sent,
    /// It did not.
    Failed,
    /// This is a staging instance: the account was not tried.
    Captured,
}

impl TrialReport {
    /// What a staging instance reports.
    pub(super) fn captured() -> Self {
        let response =
            "This instance is for staging, and sends nothing: the account was not tried.";
        Self { status: TrialStatus::Captured, response: response.to_owned() }
    }
}

impl From<Outcome> for TrialReport {
    fn from(outcome: Outcome) -> Self {
        let (status, response) = match outcome {
            Outcome::Sent { words, provider_id: _ } => (TrialStatus::Sent, words),
            Outcome::Transient { words, retry_after: _ }
            | Outcome::Permanent { words }
            | Outcome::AccountRefused { words } => (TrialStatus::Failed, words),
        };
        Self { status, response }
    }
}

/// What is answered where there is no account that can be tried.
///
/// # Errors
/// 409 where there is none, and the database's.
pub(super) fn refused(error: AccountError, path: &str) -> Result<TrialReport, Problem> {
    match error {
        AccountError::Store(error) => Err(error.into()),
        AccountError::None => {
            let message =
                format!("There is no account to send through; set one up with PATCH {path}.");
            Err(Problem::new(Code::NoAccount, message))
        }
        AccountError::Unreadable => Ok(Outcome::AccountRefused { words: error.to_string() }.into()),
    }
}
