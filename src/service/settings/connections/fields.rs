//! What of a connection can be set (`connections.md` 1).

use super::super::users::yes;
use crate::service::validity;
use beeiq_core::records::connection::{OnMatch, Source};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What of a connection can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Connection)]
pub struct ConnectionSettings {
    /// Which system. Fixed once it is made.
    pub(super) kind: Source,
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub(super) name: String,
    /// Whether it takes anything.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) enabled: bool,
    /// The listener whose defaults apply: tag, sources, unknown references, welcome messages.
    pub(super) listener_id: Uuid,
    /// The e-mail of an active user: they own what is created.
    pub(super) sender_user: String,
    /// Whether customers that it makes get the listener's welcome messages.
    #[serde(default)]
    pub(super) welcome: bool,
    /// What happens to a customer who is there already.
    #[serde(default = "fill")]
    pub(super) on_match: OnMatch,
    /// From when on what happened is asked for; when it was made where it is not said.
    #[serde(default)]
    pub(super) since: Option<DateTime<Utc>>,
    /// Those of the kind, with a secret that is never shown: Oktium's `secret`, iAdvize's `apiKey`,
    /// wolkvox's `token`. See `docs/connections.md`.
    #[schema(value_type = Object)]
    pub(super) settings: Value,
}

const fn fill() -> OnMatch {
    OnMatch::Fill
}
