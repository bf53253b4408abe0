//! Connections (`connections.md` 1): other systems that feed an org.

mod check;
mod fields;

pub use fields::ConnectionSettings;

use self::check::{Checked, checked, secret_of};
use super::{Changing, Deliveries, Edit, Entry, Resource, Settings, Subject, Written, found, room};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::secrets::{Keyring, TokenKind, new_token};
use crate::send::guard::Guard;
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::settings::connections::{
    self, ConnectionRow, ConnectionValues, secret_place, token_place,
};
use crate::store::settings::listeners::NewToken;
use crate::store::word::Stored;
use crate::store::{orgs, pulling};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::records::connection::SourceSettings;
use beeiq_core::values::masking::MASK;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const MOST: i64 = 100;
/// The longest that rotated tokens may go on working: a year.
const LONGEST_GRACE: u32 = 366 * 24 * 60 * 60;

impl Settings for ConnectionSettings {
    const NAME: &'static str = "Connection";
    const WHAT: &'static str = "connection";

    fn key(&self) -> &str {
        &self.name
    }
}

/// What is shown of a connection besides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Where its system sends what happens. Whoever knows it and the secret may.
    url: Option<String>,
    /// `active`, `paused` or `disabled`.
    status: &'static str,
    /// Why it takes nothing, or took nothing last.
    last_error: Option<LastError>,
    /// When its system was last asked.
    last_run_at: Option<DateTime<Utc>>,
    /// When it is asked next.
    next_run_at: Option<DateTime<Utc>>,
    /// How far each resource has been asked for.
    #[schema(value_type = Object)]
    cursors: Map<String, Value>,
    #[serde(skip)]
    secret_sealed: Vec<u8>,
}

/// What was wrong last.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastError {
    /// The stable code.
    code: String,
    /// What to do.
    message: String,
    /// When.
    at: DateTime<Utc>,
}

pub type Connection = Entry<ConnectionSettings, State>;

#[derive(Clone)]
pub struct Connections {
    key: Keyring,
    public_url: String,
    guard: Guard,
}

impl Resource for Connections {
    type Settings = ConnectionSettings;
    type Extra = State;
    type Filter = ();
    const DELIVERIES: Deliveries = Deliveries::Informed;

    fn path(&self) -> &'static str {
        "connections"
    }

    fn load(&self, conn: &mut Conn, org: Uuid, rows: Rows, (): &()) -> Result<Vec<Connection>> {
        let rows = connections::list(conn, org, rows)?;
        rows.into_iter()
            .map(|(row, sender, active)| self.entry(conn, org, row, sender, active))
            .collect()
    }

    /// What has become of it meanwhile does not make a read one stale.
    fn version(entry: &Connection) -> Result<Value> {
        let Entry { id, settings, created_at, extra } = entry;
        super::json(&(id, settings, created_at, &extra.secret_sealed))
    }

    fn check(&self, edit: &mut Edit<'_>, settings: &ConnectionSettings) -> Result<()> {
        checked(edit, settings, &self.guard).map(|_| ())
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &ConnectionSettings) -> Written {
        room(connections::count(edit.conn, edit.org)?, MOST, "connection")?;
        let values = self.values(edit, id, None, settings)?;
        connections::create(edit.conn, edit.org, id, &values, edit.now)?;
        if settings.kind.pushes() {
            let token = self.new_token(edit)?;
            connections::add_token(edit.conn, edit.org, id, &token, edit.now)?;
        } else {
            connections::resume(edit.conn, edit.org, id)?;
        }
        Ok(())
    }

    /// Its URLs end at once; what it heard stays.
    fn delete(&self, edit: &mut Edit<'_>, present: &Connection) -> Written {
        Ok(connections::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Connections {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Connection,
        settings: &ConnectionSettings,
    ) -> Written {
        let values = self.values(edit, present.id, Some(present), settings)?;
        let is_new_secret = values.secret_sealed != present.extra.secret_sealed;
        let is_earlier = present.settings.since.is_some_and(|since| values.since < since);
        let is_enabled = settings.enabled && !present.settings.enabled;
        let (org, id) = (edit.org, present.id);
        connections::update(edit.conn, org, id, &values, edit.now)?;
        if is_earlier {
            pulling::forget_cursors(edit.conn, org, id)?;
        }
        if is_new_secret {
            // What has been refused of the old one is no reason to pause.
            pulling::take_away(edit.conn, org, id)?;
        }
        if (is_new_secret || is_enabled) && !settings.kind.pushes() {
            connections::resume(edit.conn, org, id)?;
        }
        Ok(())
    }
}

impl Connections {
    pub(crate) fn new(key: &Keyring, public_url: &str, guard: &Guard) -> Self {
        Self { key: key.clone(), public_url: public_url.to_owned(), guard: guard.clone() }
    }

    /// Ends a pause: it is asked again at once.
    pub(crate) fn resume(&self, edit: &mut Edit<'_>, id: &str) -> Result<Connection> {
        let id = found(edit.conn, edit.org, self, id)?.id;
        connections::resume(edit.conn, edit.org, id)?;
        let id = id.to_string();
        let connection = super::read(edit.conn, edit.org, self, &id)?;
        let subject = Subject { resource: self.path(), id: &id, name: connection.settings.key() };
        edit.log(Action::Changed, subject, &changes(&Value::Null, &json!({"resumed": true})))?;
        Ok(connection)
    }

    /// Gives a connection a new URL; the earlier ones end with the grace, which is in seconds.
    pub(crate) fn rotate(&self, edit: &mut Edit<'_>, id: &str, grace: u32) -> Result<Connection> {
        if grace > LONGEST_GRACE {
            let message = "The grace is at most 366 days.";
            return Err(fault(Code::OutOfRange, "/graceSeconds", message));
        }
        edit.begin(Self::DELIVERIES)?;
        let present = found(edit.conn, edit.org, self, id)?;
        if !present.settings.kind.pushes() {
            let detail = format!("{} is asked; it has no URL here.", present.settings.kind.name());
            return Err(Problem::new(Code::NotPush, detail));
        }
        let id = present.id;
        let end = edit.now + Duration::seconds(i64::from(grace));
        let token = self.new_token(edit)?;
        connections::end_tokens(edit.conn, edit.org, id, end, edit.now)?;
        connections::add_token(edit.conn, edit.org, id, &token, edit.now)?;
        let id = id.to_string();
        let connection = super::read(edit.conn, edit.org, self, &id)?;
        let subject = Subject { resource: self.path(), id: &id, name: connection.settings.key() };
        let grace = changes(&Value::Null, &json!({"graceSeconds": grace}));
        edit.log(Action::Rotated, subject, &grace)?;
        Ok(connection)
    }

    /// What is to be kept; a mask stands for the secret that is kept already.
    fn values(
        &self,
        edit: &mut Edit<'_>,
        id: Uuid,
        present: Option<&Connection>,
        settings: &ConnectionSettings,
    ) -> Result<ConnectionValues> {
        let Checked { sender, own, secret } = checked(edit, settings, &self.guard)?;
        if present.is_some_and(|present| present.settings.kind != settings.kind) {
            let message = "The `kind` is fixed once a connection is made; make another one.";
            return Err(fault(Code::InvalidValue, "/kind", message));
        }
        let secret_sealed = match present {
            Some(present) if secret == MASK => present.extra.secret_sealed.clone(),
            None if secret == MASK => {
                let message =
                    "This is what stands for a secret, and there is none. Give the secret.";
                let place = format!("/settings/{}", secret_of(settings.kind));
                return Err(fault(Code::Required, &place, message));
            }
            _ => self.key.seal(&secret_place(edit.org, id), secret.as_bytes()),
        };
        let since = settings.since.or_else(|| present.and_then(|it| it.settings.since));
        Ok(ConnectionValues {
            kind: settings.kind.as_str().to_owned(),
            name_key: fold(&settings.name),
            name: settings.name.clone(),
            enabled: settings.enabled,
            listener_id: settings.listener_id,
            sender_id: sender,
            welcome: settings.welcome,
            on_match: settings.on_match.as_str().to_owned(),
            since: since.unwrap_or(edit.now),
            settings: match &own {
                SourceSettings::Oktium(own) => super::json(own),
                SourceSettings::Iadvize(own) => super::json(own),
                SourceSettings::Wolkvox(own) => super::json(own),
            }?,
            secret_sealed,
        })
    }

    fn new_token(&self, edit: &mut Edit<'_>) -> Result<NewToken> {
        let org = orgs::with_id(edit.conn, edit.org)?.ok_or_else(|| Problem::not_found("org"))?;
        let token = new_token(TokenKind::Connection, &org.public_id);
        let id = clock::new_id();
        Ok(NewToken {
            id,
            hash: self.key.token_hash(TokenKind::Connection, &token).hash,
            sealed: self.key.seal(&token_place(org.id, id), token.as_bytes()),
        })
    }

    fn entry(
        &self,
        conn: &mut Conn,
        org: Uuid,
        row: ConnectionRow,
        sender_user: String,
        sender_active: bool,
    ) -> Result<Connection> {
        let url = connections::token(conn, org, row.id)?.and_then(|(id, sealed)| {
            let token = self.key.open(&token_place(org, id), &sealed).ok()?;
            Some(format!("{}/connections/{}", self.public_url, String::from_utf8_lossy(&token)))
        });
        let ConnectionRow { id, kind: Stored(kind), name, enabled, listener_id, .. } = row;
        let mut settings = row.settings;
        if let Some(settings) = settings.as_object_mut() {
            settings.insert(secret_of(kind).to_owned(), MASK.into());
        }
        let told = row.last_error_code.zip(row.last_error_message).zip(row.last_error_at);
        let told = told.map(|((code, message), at)| LastError { code, message, at });
        let unknown_sender = (!sender_active).then(|| LastError {
            code: Code::UnknownSender.as_str().to_owned(),
            message: "Its `senderUser` is no active user any more; name another one.".to_owned(),
            at: row.created_at,
        });
        let paused = row.paused_code.is_some() || !sender_active;
        let status = match (enabled, paused) {
            (false, _) => "disabled",
            (true, true) => "paused",
            (true, false) => "active",
        };
        let cursors = connections::cursors(conn, org, id)?.into_iter();
        let cursors = cursors.map(|(resource, until)| (resource, json!(until))).collect();
        Ok(Entry {
            id,
            created_at: row.created_at,
            settings: ConnectionSettings {
                kind,
                name,
                enabled,
                listener_id,
                sender_user,
                welcome: row.welcome,
                on_match: row.on_match.0,
                since: Some(row.since),
                settings,
            },
            extra: State {
                url,
                status,
                last_error: unknown_sender.or(told),
                last_run_at: row.last_run_at,
                next_run_at: row.next_run_at.filter(|_| status == "active"),
                cursors,
                secret_sealed: row.secret_sealed,
            },
        })
    }
}

fn fault(code: Code, pointer: &str, message: &str) -> Problem {
    Problem::fields(vec![Fault::new(code, pointer, message)])
}
