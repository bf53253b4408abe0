//! What `/settings/email` and `/settings/sms` have in common (`api.md` 4).

use crate::access::Actor;
use crate::app::App;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::problem::Problem;
use crate::send::guard::Guard;
use crate::send::{AccountError, Outcome};
use crate::service::message_accounts::{self, Kept};
use crate::service::settings::Edit;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::message::Channel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The tag of what a change could overwrite. A new secret changes it, too.
pub(super) fn etag(kept: Option<&Kept>) -> String {
    etag::of(&kept.map(|kept| (&kept.shown, kept.updated_at)))
}

/// Changes an account by a merge patch, of which `wanted` makes the account, secrets in it; `answer`
/// is made in the transaction.
pub(super) async fn change<T: Send + 'static>(
    app: &web::Data<App>,
    actor: Actor,
    channel: Channel,
    (request, payload): (&HttpRequest, body::Body),
    wanted: fn(Option<&Kept>, Value, &Guard) -> Result<Value, Problem>,
    answer: impl FnOnce(&mut Edit<'_>, &Kept) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let if_match = IfMatch::of(request);
    let patch = body::value(payload).await?;
    let inner = app.clone();
    let answer = app
        .write(actor.org, move |conn| {
            let edit = &mut Edit::of(conn, &actor);
            let kept = message_accounts::change(edit, &inner.key, channel, |before| {
                if_match.check(&etag(before))?;
                wanted(before, patch, inner.senders.guard())
            })?;
            answer(edit, &kept)
        })
        .await?;
    app.outbox.wake();
    Ok(answer)
}

pub(super) async fn delete(
    app: &web::Data<App>,
    actor: Actor,
    channel: Channel,
) -> Result<HttpResponse, Problem> {
    let inner = app.clone();
    app.write(actor.org, move |conn| {
        message_accounts::delete(&mut Edit::of(conn, &actor), &inner.key, channel)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
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

/// What is answered, made in the transaction.
pub(super) struct Representation {
    pub(super) body: Value,
    pub(super) etag: String,
}

impl Representation {
    pub(super) fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, self.etag)).json(self.body)
    }
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
            | Outcome::AccountRefused { words }
            | Outcome::QuotaUsedUp { words } => (TrialStatus::Failed, words),
        };
        Self { status, response }
    }
}

/// What is answered where there is no account that can be tried.
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
