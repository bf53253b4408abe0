//! An org's own names: users, groups, sources, custom fields, listeners …, as one value.
//!
//! Every action resolves names against it, so it is kept in memory  and is valid
//! for exactly one `directory_version`: every change of a setting counts that up, and every
//! transaction that decides compares.

use crate::records::connection::Connection;
use crate::records::message::Wording;
use crate::records::token::Token;
use crate::values::custom_field::{Kind as FieldKind, Model};
use crate::values::phone::Region;
use crate::values::template::MessageTemplate;
use crate::values::text::fold;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use ipnetwork::IpNetwork;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What something with a name takes beside it: its place in a list and in two tables.
const ENTRY: usize = 256;

/// Everything that an org has set up, as of one version.
#[derive(Debug)]
pub struct Directory {
    /// Which state this is.
    pub version: i64,
    /// The org and what its payloads are read by.
    pub org: Org,
    /// Its users, inactive ones included.
    pub users: Users,
    /// Its groups.
    pub groups: Names<Group>,
    /// Where customers come from.
    pub sources: Names<Entry>,
    /// Through which notes and tickets come.
    pub channels: Names<Entry>,
    /// How soon tickets are to be answered and resolved.
    pub slas: Names<Sla>,
    /// How far a deal may have come, in order.
    pub deal_stages: Names<Entry>,
    /// What kinds of deal there are.
    pub deal_categories: Names<Entry>,
    /// What deals may be about.
    pub deal_packages: Names<Entry>,
    /// The currencies that deals may be in: ISO 4217, upper case, in alphabetical order.
    pub currencies: Vec<String>,
    /// Its custom fields, by model.
    pub custom_fields: CustomFields,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Its connections to other systems.
    pub connections: Vec<Connection>,
    /// Whether it has an SMS account of its own; its SMS take no trial credits then.
    pub has_sms_account: bool,
}

/// The org itself.
#[derive(Clone, Debug)]
pub struct Org {
    /// Its id.
    pub id: Uuid,
    /// What its tokens start with.
    pub public_id: String,
    /// What people sign in with.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// In which epoch milliseconds and plain dates are read.
    pub time_zone: Tz,
    /// In which phone numbers without a country code are read.
    pub region: Region,
    /// The currency of deals that name none: ISO 4217, upper case.
    pub default_currency: String,
}

/// Something with a name that is unique in any case.
pub trait Named {
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its name.
    fn name(&self) -> &str;
}

/// Things found by id, and by name in any case.
#[derive(Debug)]
pub struct Names<T> {
    entries: Vec<T>,
    by_key: HashMap<String, usize>,
    by_id: HashMap<Uuid, usize>,
}

impl<T: Named> Names<T> {
    /// Keeps the order given.
    pub fn new(entries: Vec<T>) -> Self {
        let by_key = entries.iter().enumerate().map(|(i, e)| (fold(e.name()), i)).collect();
        let by_id = entries.iter().enumerate().map(|(i, e)| (e.id(), i)).collect();
        Self { entries, by_key, by_id }
    }

    fn bytes(&self) -> usize {
        self.all_names().map(|name| ENTRY + 2 * name.len()).sum()
    }

    /// The one of that name, in any case.
    pub fn named(&self, name: &str) -> Option<&T> {
        self.entries.get(*self.by_key.get(&fold(name))?)
    }

    /// The one of that id.
    pub fn with_id(&self, id: Uuid) -> Option<&T> {
        self.entries.get(*self.by_id.get(&id)?)
    }

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.entries.iter()
    }

    /// All names, in order.
    pub fn all_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.iter().map(Named::name)
    }
}

impl<T: Named> Default for Names<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// An entry of a picklist: a source, a stage …
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

impl Named for Entry {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// A group of users.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

impl Named for Group {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// A service level of tickets.
#[derive(Clone, Debug)]
pub struct Sla {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Within how long a ticket is to be answered first.
    pub first_response: TimeDelta,
    /// Within how long a ticket is to be resolved.
    pub resolution: TimeDelta,
}

impl Named for Sla {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// A user of the org.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The e-mail as entered.
    pub email: String,
    /// The e-mail in the form in which it is compared.
    pub email_key: String,
    /// The name.
    pub name: String,
    /// Whether they may sign in and be named.
    pub active: bool,
}

/// The users, by id and by e-mail.
#[derive(Debug, Default)]
pub struct Users {
    by_id: HashMap<Uuid, User>,
    by_email: HashMap<String, Uuid>,
}

impl Users {
    /// From a list.
    pub fn new(users: Vec<User>) -> Self {
        let by_email = users.iter().map(|user| (user.email_key.clone(), user.id)).collect();
        let by_id = users.into_iter().map(|user| (user.id, user)).collect();
        Self { by_id, by_email }
    }

    /// The active user whose e-mail has that key.
    pub fn active(&self, email_key: &str) -> Option<&User> {
        self.with_email(email_key).filter(|user| user.active)
    }

    /// The user whose e-mail has that key, active or not.
    #[must_use]
    pub fn with_email(&self, email_key: &str) -> Option<&User> {
        self.with_id(*self.by_email.get(email_key)?)
    }

    /// The user of that id, active or not.
    pub fn with_id(&self, id: Uuid) -> Option<&User> {
        self.by_id.get(&id)
    }

    /// That user; where nobody in particular acts, as with an API key, the first of the active ones.
    pub fn acting(&self, user: Option<Uuid>) -> Option<&User> {
        match user {
            Some(id) => self.with_id(id),
            None => self.by_id.values().filter(|user| user.active).min_by_key(|user| user.id),
        }
    }
}

/// A custom field.
#[derive(Clone, Debug)]
pub struct CustomField {
    /// Its id, under which records keep its value.
    pub id: Uuid,
    /// Which records have it.
    pub model: Model,
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: FieldKind,
    /// What a choice chooses from.
    pub options: Vec<String>,
}

impl Named for CustomField {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// The custom fields of each model.
#[derive(Debug, Default)]
pub struct CustomFields(HashMap<Model, Names<CustomField>>);

impl CustomFields {
    /// From a list.
    pub fn new(fields: Vec<CustomField>) -> Self {
        let mut by_model: HashMap<Model, Vec<CustomField>> = HashMap::new();
        for field in fields {
            by_model.entry(field.model).or_default().push(field);
        }
        Self(by_model.into_iter().map(|(model, fields)| (model, Names::new(fields))).collect())
    }

    /// Those of a model.
    pub fn of(&self, model: Model) -> Option<&Names<CustomField>> {
        self.0.get(&model)
    }

    /// The one of that model and name, in any case.
    pub fn named(&self, model: Model, name: &str) -> Option<&CustomField> {
        self.of(model)?.named(name)
    }

    /// All names over all models, for templates.
    pub fn all_names(&self) -> Vec<String> {
        self.0.values().flat_map(Names::all_names).map(str::to_owned).collect()
    }
}

/// A listener, ready for use: templates compiled, references resolved.
#[derive(Debug)]
pub struct Listener {
    /// Its id.
    pub id: Uuid,
    /// Its name, for history.
    pub name: String,
    /// Whether it takes anything.
    pub enabled: bool,
    /// Whether what it takes is applied later (`mode: "async"`).
    pub respond_async: bool,
    /// The networks that callers must be in; empty: any.
    pub allowed_ips: Vec<IpNetwork>,
    /// Hashes of the tokens that lead here, and until when a rotated one does.
    pub tokens: Vec<Token>,
    /// The tag of newly created customers.
    pub default_tag: Option<Uuid>,
    /// The source of newly created contacts and accounts.
    pub contact_source: Option<Uuid>,
    /// The source of newly created leads.
    pub lead_source: Option<Uuid>,
    /// The welcome e-mail, where it is switched on.
    pub welcome_email: Option<WelcomeEmail>,
    /// The welcome SMS, where it is switched on.
    pub welcome_sms: Option<WelcomeSms>,
    /// Whether names that the org does not have are dropped with a warning.
    pub skip_unknown_references: bool,
    /// How many actions it takes, where that is limited.
    pub rate_limit: Option<RateLimit>,
}

impl Listener {
    fn bytes(&self) -> usize {
        let email = self.welcome_email.as_ref().map_or(0, |email| {
            let WelcomeEmail { subject, html, text, wording: _ } = email;
            let text = text.as_ref().map_or(0, MessageTemplate::bytes);
            subject.bytes() + html.bytes() + text
        });
        let sms = self.welcome_sms.as_ref().map_or(0, |sms| sms.text.bytes());
        let networks = size_of::<IpNetwork>() * self.allowed_ips.len();
        2 * ENTRY + self.name.len() + networks + ENTRY * self.tokens.len() + email + sms
    }
}

/// How many actions a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So many a second, in the long run.
    pub per_second: u32,
    /// So many at once.
    pub burst: u32,
}

/// The templates of a welcome e-mail.
#[derive(Debug)]
pub struct WelcomeEmail {
    /// The subject, one line.
    pub subject: MessageTemplate,
    /// The HTML part.
    pub html: MessageTemplate,
    /// The text part, where the admin wrote one.
    pub text: Option<MessageTemplate>,
    /// Their sources, as messages keep them.
    pub wording: Arc<Wording>,
}

/// The template of a welcome SMS.
#[derive(Debug)]
pub struct WelcomeSms {
    /// The text.
    pub text: MessageTemplate,
    /// Its source, as messages keep it.
    pub wording: Arc<Wording>,
}

impl Directory {
    /// How much memory it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let users: usize = self
            .users
            .by_id
            .values()
            .map(|user| 2 * ENTRY + user.email.len() + 2 * user.email_key.len() + user.name.len())
            .sum();
        let picklists = [
            &self.sources,
            &self.channels,
            &self.deal_stages,
            &self.deal_categories,
            &self.deal_packages,
        ];
        let names = self.groups.bytes()
            + self.slas.bytes()
            + picklists.into_iter().map(Names::bytes).sum::<usize>();
        let fields = self.custom_fields.0.values();
        let options = fields.clone().flat_map(Names::iter).flat_map(|field| &field.options);
        let options: usize = options.map(|option| size_of::<String>() + option.len()).sum();
        let fields: usize = fields.map(Names::bytes).sum();
        let listeners: usize = self.listeners.iter().map(Listener::bytes).sum();
        let connections: usize = self.connections.iter().map(Connection::bytes).sum();
        ENTRY + users + names + fields + options + listeners + connections
    }

    /// The listener of that id.
    pub fn listener(&self, id: Uuid) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.id == id)
    }

    /// The listener that a token's hash leads to at that time.
    pub fn listener_of_token(&self, hash: &[u8], now: DateTime<Utc>) -> Option<&Listener> {
        self.listeners.iter().find(|listener| Token::any_is(&listener.tokens, hash, now))
    }

    /// The connection of that id.
    #[must_use]
    pub fn connection(&self, id: Uuid) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == id)
    }

    /// The connection that a token's hash leads to at that time.
    #[must_use]
    pub fn connection_of_token(&self, hash: &[u8], now: DateTime<Utc>) -> Option<&Connection> {
        self.connections.iter().find(|connection| Token::any_is(&connection.tokens, hash, now))
    }
}
