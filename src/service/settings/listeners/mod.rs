//! Listeners (`api.md` 4): the URLs that other systems post to.

mod check;
mod fields;

pub use fields::{ListenerSettings, Mode, RateLimit, UnknownReferences};

use super::{
    Changing, Deliveries, Edit, Entry, Resource, Settings, Subject, Written, found, room,
    room_of_bytes,
};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::secrets::{Keyring, TokenKind, new_token};
use crate::store::orgs;
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::settings::listeners::{self, ListenerRow, NewToken};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::network;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const MOST: i64 = 1000;
/// Of the templates of all listeners of an org, which are kept in memory.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// The longest that rotated tokens may go on working: a year.
const LONGEST_GRACE: u32 = 366 * 24 * 60 * 60;

impl Settings for ListenerSettings {
    const NAME: &'static str = "Listener";
    const WHAT: &'static str = "listener";

    fn key(&self) -> &str {
        &self.name
    }
}

/// What is shown of a listener besides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Door {
    /// Where to post to. Whoever knows it may.
    // None: the token was sealed with another key. Then it is not shown.
    #[schema(value_type = String)]
    url: Option<String>,
    /// When the newest delivery came.
    last_delivery_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    token_sealed: Vec<u8>,
}

pub type Listener = Entry<ListenerSettings, Door>;

#[derive(Clone)]
pub struct Listeners {
    key: Keyring,
    public_url: String,
}

impl Resource for Listeners {
    type Settings = ListenerSettings;
    type Extra = Door;
    type Filter = ();
    /// No record refers to a listener.
    const DELIVERIES: Deliveries = Deliveries::Informed;

    fn path(&self) -> &'static str {
        "listeners"
    }

    fn load(&self, conn: &mut Conn, org: Uuid, rows: Rows, (): &()) -> Result<Vec<Listener>> {
        let rows = listeners::list(conn, org, rows)?;
        rows.into_iter().map(|row| self.entry(org, row)).collect()
    }

    /// A delivery that comes in meanwhile does not make a read listener stale, and its URL changes
    /// with its token.
    fn version(entry: &Listener) -> Result<Value> {
        let Entry { id, settings, created_at, extra } = entry;
        super::json(&(id, settings, created_at, &extra.token_sealed))
    }

    fn check_shown(entry: &Listener) -> Result<()> {
        entry.url().map(|_| ())
    }

    fn check(&self, edit: &mut Edit<'_>, settings: &ListenerSettings) -> Result<()> {
        check::checked(edit, settings).map(|_| ())
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &ListenerSettings) -> Written {
        room(listeners::count(edit.conn, edit.org)?, MOST, "listener")?;
        let values = check::checked(edit, settings)?;
        room_for_templates(edit, None, settings)?;
        let token = self.new_token(edit)?;
        listeners::create(edit.conn, edit.org, id, &values, edit.now)?;
        Ok(listeners::add_token(edit.conn, edit.org, id, &token, edit.now)?)
    }

    /// Its URLs end at once, its deliveries stay.
    fn delete(&self, edit: &mut Edit<'_>, present: &Listener) -> Written {
        Ok(listeners::delete(edit.conn, edit.org, present.id)?)
    }
}

/// Whether the welcome messages of all listeners of the org fit, with these in place of those.
fn room_for_templates(
    edit: &mut Edit<'_>,
    before: Option<&ListenerSettings>,
    after: &ListenerSettings,
) -> Result<(), Problem> {
    let bytes_of = |settings: &ListenerSettings| {
        json!([settings.welcome_email, settings.welcome_sms]).to_string().len()
    };
    let bytes = listeners::templates_bytes(edit.conn, edit.org)?;
    let (less, more) = (before.map_or(0, bytes_of), bytes_of(after));
    room_of_bytes(bytes, less, more, MOST_BYTES, "welcome messages")
}

impl Changing for Listeners {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Listener,
        settings: &ListenerSettings,
    ) -> Written {
        let values = check::checked(edit, settings)?;
        room_for_templates(edit, Some(&present.settings), settings)?;
        Ok(listeners::update(edit.conn, edit.org, present.id, &values, edit.now)?)
    }
}

impl Listeners {
    pub(crate) fn new(key: &Keyring, public_url: &str) -> Self {
        Self { key: key.clone(), public_url: public_url.to_owned() }
    }

    /// Gives a listener a new URL; the earlier ones end with the grace, which is in seconds.
    pub(crate) fn rotate(&self, edit: &mut Edit<'_>, id: &str, grace: u32) -> Result<Listener> {
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
    pub(crate) fn oldest(&self, conn: &mut Conn, org: Uuid) -> Result<Option<String>> {
        let mut all = self.load(conn, org, Rows::all(), &())?;
        all.pop().map(|listener| listener.url().map(str::to_owned)).transpose()
    }

    fn new_token(&self, edit: &mut Edit<'_>) -> Result<NewToken> {
        let org = orgs::with_id(edit.conn, edit.org)?.ok_or_else(|| Problem::not_found("org"))?;
        let token = new_token(TokenKind::Listener, &org.public_id);
        let id = clock::new_id();
        Ok(NewToken {
            id,
            hash: self.key.token_hash(TokenKind::Listener, &token).hash,
            sealed: self.key.seal(&listeners::token_place(org.id, id), token.as_bytes()),
        })
    }

    fn entry(&self, org: Uuid, row: ListenerRow) -> Result<Listener> {
        let token = self.key.open(&listeners::token_place(org, row.token_id), &row.token_sealed);
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
            token_id: _,
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
    pub(crate) fn url(&self) -> Result<&str> {
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
fn kept<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "a kept listener cannot be read");
        Problem::new(Code::Internal, "The listener cannot be read; this has been logged.")
    })
}
