//! What of a listener can be set, as JSON and as a row (`api.md` 4).

use crate::problem::Problem;
use crate::store::listeners::ListenerRow;
use beeiq_core::diagnostics::Code;
use beeiq_core::values::network;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What of a listener can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerSettings {
    /// Unique in the org, in any case.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) name: String,
    /// Whether it takes anything.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// Whether actions are applied before the answer, or soon after it.
    #[serde(default)]
    pub(super) mode: Mode,
    /// The addresses and networks (CIDR, v4 or v6) that callers must be in; empty: any.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(super) allowed_ips: Vec<String>,
    /// A tag for newly created customers; made where it is new.
    pub(super) default_tag: Option<String>,
    /// The source of newly created contacts and accounts.
    pub(super) contact_source: Option<String>,
    /// The source of newly created leads.
    pub(super) lead_source: Option<String>,
    /// The e-mail to newly created customers.
    pub(super) welcome_email: Option<WelcomeEmail>,
    /// The SMS to newly created customers, to the first of their numbers that can take one.
    pub(super) welcome_sms: Option<WelcomeSms>,
    /// What becomes of an action with a name that the org does not have. An unknown currency is
    /// always refused.
    #[serde(default)]
    pub(super) unknown_references: UnknownReferences,
    /// How many actions it takes; null: any number.
    pub(super) rate_limit: Option<RateLimit>,
}

/// Whether actions are applied before the answer, or soon after it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Before it.
    #[default]
    Sync,
    /// After it (`listener.md` 9).
    Async,
}

/// What becomes of an action with a name that the org does not have (`listener.md` 6).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnknownReferences {
    /// It fails.
    #[default]
    Reject,
    /// The name is dropped with a warning.
    Skip,
}

/// The templates of a welcome e-mail.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WelcomeEmail {
    /// Whether it is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// The subject.
    pub(super) subject: String,
    /// The HTML part.
    pub(super) body: String,
    /// The text part; absent: made from the HTML part.
    pub(super) text: Option<String>,
}

/// The template of a welcome SMS.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WelcomeSms {
    /// Whether it is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// The text.
    pub(super) content: String,
}

/// How many actions a listener takes. A request costs as many as it has, at least one; a batch that
/// is larger than the burst is taken, and the next request waits until it has run off.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// So many a second, in the long run.
    #[schema(minimum = 1, maximum = 10_000)]
    pub(super) per_second: i32,
    /// So many at once, before the rate counts.
    #[schema(minimum = 1, maximum = 10_000)]
    pub(super) burst: i32,
}

const fn yes() -> bool {
    true
}

impl ListenerSettings {
    /// The settings as JSON, with all fields.
    pub(super) fn to_json(&self) -> Result<Value, Problem> {
        serde_json::to_value(self).map_err(|error| unreadable(&error))
    }
}

impl TryFrom<ListenerRow> for ListenerSettings {
    type Error = Problem;

    fn try_from(row: ListenerRow) -> Result<Self, Problem> {
        let ListenerRow {
            id: _,
            name,
            enabled,
            mode,
            allowed_ips,
            default_tag,
            contact_source,
            lead_source,
            welcome_email,
            welcome_sms,
            unknown_references,
            rate_per_second,
            rate_burst,
            created_at: _,
            token_sealed: _,
            last_delivery_at: _,
        } = row;
        let rate_limit = rate_per_second
            .zip(rate_burst)
            .map(|(per_second, burst)| RateLimit { per_second, burst });
        Ok(Self {
            name,
            enabled,
            mode: kept(Value::String(mode))?,
            allowed_ips: allowed_ips.into_iter().map(network::written).collect(),
            default_tag,
            contact_source,
            lead_source,
            welcome_email: welcome_email.map(kept).transpose()?,
            welcome_sms: welcome_sms.map(kept).transpose()?,
            unknown_references: kept(Value::String(unknown_references))?,
            rate_limit,
        })
    }
}

impl Mode {
    /// Its name in the API and the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}

impl UnknownReferences {
    /// Its name in the API and the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Skip => "skip",
        }
    }
}

impl WelcomeEmail {
    /// As its column keeps it.
    pub(super) fn into_json(self) -> Value {
        let Self { enabled, subject, body, text } = self;
        serde_json::json!({"enabled": enabled, "subject": subject, "body": body, "text": text})
    }
}

impl WelcomeSms {
    /// As its column keeps it.
    pub(super) fn into_json(self) -> Value {
        let Self { enabled, content } = self;
        serde_json::json!({"enabled": enabled, "content": content})
    }
}

/// What this program wrote into a column.
fn kept<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    tracing::error!(%error, "a kept listener cannot be read");
    Problem::new(Code::Internal, "The listener cannot be read; this has been logged.")
}
