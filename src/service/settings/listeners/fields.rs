//! What of a listener can be set, and what each field by itself has to be (`api.md` 4).

use super::super::users::yes;
use crate::service::validity::{self, broken, broken_entries};
use crate::store::settings::listeners::{WelcomeEmail, WelcomeSms};
use beeiq_core::diagnostics::Code;
use beeiq_core::values::network;
use beeiq_core::words;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

const MOST_NETWORKS: usize = 1000;

/// What of a listener can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
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
    #[validate(custom(function = "networks"))]
    #[schema(max_items = 1000)]
    pub(super) allowed_ips: Vec<String>,
    /// A tag for newly created customers; made where it is new.
    #[serde(default, deserialize_with = "validity::given")]
    #[validate(custom(function = "one_tag"))]
    pub(super) default_tag: Option<String>,
    /// The source of newly created contacts and accounts.
    #[serde(default, deserialize_with = "validity::given")]
    pub(super) contact_source: Option<String>,
    /// The source of newly created leads.
    #[serde(default, deserialize_with = "validity::given")]
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
    #[validate(nested)]
    pub(super) rate_limit: Option<RateLimit>,
}

words! {
    /// Whether actions are applied before the answer, or soon after it.
    #[derive(Default)]
    pub enum Mode {
        #[default]
        Sync => "sync",
        Async => "async",
    }
}

words! {
    /// What becomes of an action with a name that the org does not have (`listener.md` 6).
    #[derive(Default)]
    pub enum UnknownReferences {
        /// It fails.
        #[default]
        Reject => "reject",
        /// The name is dropped with a warning.
        Skip => "skip",
    }
}

/// How many actions a listener takes. A request costs as many as it has, at least one; a batch that
/// is larger than the burst is taken, and the next request waits until it has run off.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// So many a second, in the long run.
    #[validate(range(min = 1, max = 10_000, message = "A rate is a number from 1 to 10000."))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub(super) per_second: i32,
    /// So many at once, before the rate counts.
    #[validate(range(min = 1, max = 10_000, message = "A rate is a number from 1 to 10000."))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub(super) burst: i32,
}

/// Payloads separate several tags by commas.
fn one_tag(tag: &str) -> Result<(), ValidationError> {
    if tag.contains(',') {
        let message = "This is one tag; a tag has no comma in it.";
        return Err(broken(Code::InvalidValue, message));
    }
    validity::name(tag)
}

fn networks(texts: &[String]) -> Result<(), ValidationError> {
    if texts.len() > MOST_NETWORKS {
        let message = format!("There are at most {MOST_NETWORKS} networks.");
        return Err(broken(Code::TooLong, message));
    }
    let unfit = |(index, text): (usize, &String)| network::parse(text).is_none().then_some(index);
    let unfit: Vec<usize> = texts.iter().enumerate().filter_map(unfit).collect();
    if unfit.is_empty() {
        return Ok(());
    }
    let message = "It must be an address or a network such as 203.0.113.7, 203.0.113.0/24 or \
                   2001:db8::/32.";
    Err(broken_entries(Code::InvalidValue, &unfit, message))
}
