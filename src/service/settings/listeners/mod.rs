//! Listeners (`api.md` 4): the URLs that other systems post to.

mod check;

use super::users::yes;
use super::{
    Changing, Deliveries, Edit, Entry, Parameters, Refusal, Resource, Settings, Subject,
    UnfitFilter, found, room,
};
use crate::clock;
use crate::problem::Problem;
use crate::secrets::{SecretKey, TokenKind, new_token};
use crate::service::validity;
use crate::store::orgs;
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::settings::listeners::{self, ListenerRow, NewToken, WelcomeEmail, WelcomeSms};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::network;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

const MOST: i64 = 1000;
/// The longest that rotated tokens may go on working: a year.
const LONGEST_GRACE: u32 = 366 * 24 * 60 * 60;

/// What of a listener can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Whether it takes anything.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
    /// Whether actions are applied before the answer, or soon after it.
    #[serde(default)]
    mode: Mode,
    /// The addresses and networks (CIDR, v4 or v6) that callers must be in; empty: any.
    #[serde(default)]
    #[validate(custom(function = "check::networks"))]
    #[schema(max_items = 1000)]
    allowed_ips: Vec<String>,
    /// A tag for newly created customers; made where it is new.
    #[serde(default, deserialize_with = "validity::given")]
    #[validate(custom(function = "check::one_tag"))]
    default_tag: Option<String>,
    /// The source of newly created contacts and accounts.
    #[serde(default, deserialize_with = "validity::given")]
    contact_source: Option<String>,
    /// The source of newly created leads.
    #[serde(default, deserialize_with = "validity::given")]
    lead_source: Option<String>,
    /// The e-mail to newly created customers.
    welcome_email: Option<WelcomeEmail>,
    /// The SMS to newly created customers, to the first of their numbers that can take one.
    welcome_sms: Option<WelcomeSms>,
    /// What becomes of an action with a name that the org does not have. An unknown currency is
    /// always refused.
    #[serde(default)]
    unknown_references: UnknownReferences,
    /// How many actions it takes; null: any number.
    #[validate(nested)]
    rate_limit: Option<RateLimit>,
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

/// How many actions a listener takes. A request costs as many as it has, at least one; a batch that
/// is larger than the burst is taken, and the next request waits until it has run off.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// So many a second, in the long run.
    #[validate(range(min = 1, max = 10_000, message = "A rate is a number from 1 to 10000."))]
    #[schema(minimum = 1, maximum = 10_000)]
    per_second: i32,
    /// So many at once, before the rate counts.
    #[validate(range(min = 1, max = 10_000, message = "A rate is a number from 1 to 10000."))]
    #[schema(minimum = 1, maximum = 10_000)]
    burst: i32,
}

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}

impl UnknownReferences {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Skip => "skip",
        }
    }
}

impl Settings for ListenerSettings {
    const NAME: &'static str = "Listener";
    const WHAT: &'static str = "listener";

    fn key(&self) -> &str {
        &self.name
    }
}

/// What is shown of a listener besides.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Door {
    /// None: the token was sealed with another key.
    url: Option<String>,
    last_delivery_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    token_sealed: Vec<u8>,
}

pub type Listener = Entry<ListenerSettings, Door>;

#[derive(Clone)]
pub struct Listeners {
    key: SecretKey,
    public_url: String,
}

impl Resource for Listeners {
    type Settings = ListenerSettings;
    type Extra = Door;
    type Filter = ();
    const FILTERS: &'static [&'static str] = &[];
    /// No record refers to a listener.
    const DELIVERIES: Deliveries = Deliveries::Informed;

    fn path(&self) -> &'static str {
        "listeners"
    }

    fn filter(_: Parameters<'_>) -> Result<(), UnfitFilter> {
        Ok(())
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        (): &(),
    ) -> Result<Vec<Listener>, Problem> {
        let rows = listeners::list(conn, org, rows)?;
        rows.into_iter().map(|row| self.entry(org, row)).collect()
    }

    /// A delivery that comes in meanwhile does not make a read listener stale, and its URL changes
    /// with its token.
    fn version(entry: &Listener) -> Result<Value, Problem> {
        let Entry { id, settings, created_at, extra } = entry;
        super::json(&(id, settings, created_at, &extra.token_sealed))
    }

    fn check_shown(entry: &Listener) -> Result<(), Problem> {
        entry.url().map(|_| ())
    }

    fn check(&self, edit: &mut Edit<'_>, settings: &ListenerSettings) -> Result<(), Problem> {
        check::checked(edit, settings).map(|_| ())
    }

    fn create(
        &self,
        edit: &mut Edit<'_>,
        id: Uuid,
        settings: &ListenerSettings,
    ) -> Result<(), Refusal> {
        room(listeners::count(edit.conn, edit.org)?, MOST, "listener")?;
        let values = check::checked(edit, settings)?;
        let token = self.new_token(edit)?;
        Ok(listeners::create(edit.conn, edit.org, id, &values, &token, edit.now)?)
    }

    /// Its URLs end at once, its deliveries stay.
    fn delete(&self, edit: &mut Edit<'_>, present: &Listener) -> Result<(), Refusal> {
        Ok(listeners::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Listeners {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Listener,
        settings: &ListenerSettings,
    ) -> Result<(), Refusal> {
        let values = check::checked(edit, settings)?;
        Ok(listeners::update(edit.conn, edit.org, present.id, &values, edit.now)?)
    }
}

impl Listeners {
    pub(crate) fn new(key: &SecretKey, public_url: &str) -> Self {
        Self { key: key.clone(), public_url: public_url.to_owned() }
    }

    /// Gives a listener a new URL; the earlier ones end with the grace, which is in seconds.
    pub(crate) fn rotate(
        &self,
        edit: &mut Edit<'_>,
        id: &str,
        grace: u32,
    ) -> Result<Listener, Problem> {
        if grace > LONGEST_GRACE {
            let message = "The grace is at most 366 days.";
            let fault = Fault::new(Code::OutOfRange, "/graceSeconds", message);
            return Err(Problem::fields(vec![fault]));
        }
        edit.begin(Self::DELIVERIES)?;
        let id = found(edit.conn, edit.org, self, id)?.id;
        let end = edit.now + Duration::seconds(i64::from(grace));
        let token = self.new_token(edit)?;
        listeners::rotate(edit.conn, edit.org, id, &token, end, edit.now)?;
        let id = id.to_string();
        let listener = super::read(edit.conn, edit.org, self, &id)?;
        let subject = Subject { resource: self.path(), id: &id, name: listener.settings.key() };
        let grace = changes(&Value::Null, &json!({"graceSeconds": grace}));
        edit.log(Action::Rotated, subject, &grace)?;
        Ok(listener)
    }

    /// The URL of the org's oldest listener.
    pub(crate) fn oldest(&self, conn: &mut Conn, org: Uuid) -> Result<Option<String>, Problem> {
        let mut all = self.load(conn, org, Rows::all(), &())?;
        all.pop().map(|listener| listener.url().map(str::to_owned)).transpose()
    }

    fn new_token(&self, edit: &mut Edit<'_>) -> Result<NewToken, Problem> {
        let org = orgs::with_id(edit.conn, edit.org)?.ok_or_else(|| Problem::not_found("org"))?;
        let token = new_token(TokenKind::Listener, &org.public_id);
        Ok(NewToken {
            id: clock::new_id(),
            hash: self.key.token_hash(TokenKind::Listener.purpose(), &token),
            sealed: self.key.seal(&listeners::token_place(org.id), token.as_bytes()),
        })
    }

    fn entry(&self, org: Uuid, row: ListenerRow) -> Result<Listener, Problem> {
        let token = self.key.open(&listeners::token_place(org), &row.token_sealed);
        let token = token.inspect_err(|error| {
            tracing::error!(%org, "the token of a listener: {error}");
        });
        let url = token.ok().map(|token| {
            format!("{}/listener/{}", self.public_url, String::from_utf8_lossy(&token))
        });
        let ListenerRow {
            id,
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
            created_at,
            token_sealed,
            last_delivery_at,
        } = row;
        let settings = ListenerSettings {
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
            rate_limit: rate_per_second
                .zip(rate_burst)
                .map(|(per_second, burst)| RateLimit { per_second, burst }),
        };
        let extra = Door { url, last_delivery_at, token_sealed };
        Ok(Entry { id, settings, created_at, extra })
    }
}

impl Listener {
    /// Where to post to. Whoever knows it may.
    pub(crate) fn url(&self) -> Result<&str, Problem> {
        self.extra.url.as_deref().ok_or_else(|| {
            Problem::new(
                Code::Internal,
                "The listener's URL cannot be read with this instance's key; rotate it for a new \
                 one.",
            )
        })
    }
}

/// What this program wrote into a column.
fn kept<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "a kept listener cannot be read");
        Problem::new(Code::Internal, "The listener cannot be read; this has been logged.")
    })
}
