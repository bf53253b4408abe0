//! An org in memory, for tests that decide without a database.

use super::Action;
use super::customer::field_kinds::{email_key, phone_key};
use crate::batch::company_name_identity;
use crate::batch::{
    Context, Decision, Ids, Keys, KnownCustomer, NameKey, Overlay, Rejection, Request, SEVERAL,
    Snapshot,
};
use crate::diagnostics::{Diagnostics, Pointer};
use crate::directory::{
    CustomField, CustomFields, Directory, Entry, Group, Listener, Names, Org, Sla, User, Users,
    WelcomeEmail, WelcomeSms,
};
use crate::formats::Item;
use crate::records::connection::{Connection, OnMatch, SourceSettings};
use crate::records::counter::Counter;
use crate::records::customer::{Customer, CustomerCode, CustomerKind};
use crate::records::identity::{Identity, IdentityKind};
use crate::records::message::{Content, Wording};
use crate::values::custom_field::{Kind, Model};
use crate::values::passport::Passport;
use crate::values::phone::Region;
use crate::values::template::{Markup, MessageTemplate};
use crate::values::text::fold;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// The org with everything that payloads may name, and what it holds.
pub struct TestOrg {
    pub directory: Directory,
    pub listener: Listener,
    pub sender: User,
    pub snapshot: Snapshot,
    /// The connection through which payloads come.
    pub connection: Option<Connection>,
}

/// A recognisable id.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A record of that code and name with nothing else in it, not yet changed today.
pub fn record(code: &str, name: &str) -> Customer {
    let code = CustomerCode::parse(code).unwrap();
    let before = DateTime::<Utc>::UNIX_EPOCH - TimeDelta::days(1);
    Customer { name: name.to_owned(), ..Customer::new(id_of(code), code, id(12), before) }
}

/// The id of the customer of that code.
fn id_of(code: CustomerCode) -> Uuid {
    id(100 * (1 + code.kind as u128) + u128::try_from(code.number).unwrap())
}

/// Ids and codes that count up from 1000 and 100.
pub struct Counting {
    next_id: u128,
    next_code: i64,
}

impl Default for Counting {
    fn default() -> Self {
        Self { next_id: 1000, next_code: 100 }
    }
}

impl Ids for Counting {
    fn id(&mut self) -> Uuid {
        self.next_id += 1;
        id(self.next_id)
    }

    fn number(&mut self, _counter: Counter) -> i64 {
        self.next_code += 1;
        self.next_code
    }

    fn deal_id(&mut self) -> String {
        self.number(Counter::Deal).to_string()
    }
}

fn directory() -> Directory {
    let user = |number, name: &str, active| User {
        id: id(number),
        email: format!("{name}@acme.test"),
        email_key: format!("{name}@acme.test"),
        name: name.to_owned(),
        active,
    };
    let field = |number, model, name: &str, kind, options: &[&str]| CustomField {
        id: id(number),
        model,
        name: name.to_owned(),
        kind,
        options: options.iter().map(|&option| option.to_owned()).collect(),
    };
    let entries = |entries: &[(u128, &str)]| {
        let entry =
            |&(number, name): &(u128, &str)| Entry { id: id(number), name: name.to_owned() };
        Names::new(entries.iter().map(entry).collect())
    };
    Directory {
        version: 1,
        org: Org {
            id: id(1),
            public_id: "acme".to_owned(),
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            time_zone: chrono_tz::Asia::Ho_Chi_Minh,
            region: Region::parse("VN").unwrap(),
            default_currency: "VND".to_owned(),
        },
        users: Users::new(vec![
            user(11, "ann", true),
            user(12, "bob", true),
            user(13, "gone", false),
        ]),
        groups: Names::new(vec![Group { id: id(21), name: "Sales".to_owned() }]),
        sources: Names::new(vec![Entry { id: id(31), name: "Web".to_owned() }]),
        channels: entries(&[(65, "Kite Chat"), (66, "Contact Form")]),
        slas: Names::new(vec![Sla {
            id: id(71),
            name: "Gold".to_owned(),
            first_response: TimeDelta::minutes(30),
            resolution: TimeDelta::hours(8),
        }]),
        deal_stages: entries(&[(61, "New"), (62, "Won")]),
        deal_categories: entries(&[(63, "UI Design")]),
        deal_packages: entries(&[(64, "Goi A")]),
        currencies: vec!["USD".to_owned(), "VND".to_owned()],
        custom_fields: CustomFields::new(vec![
            field(44, Model::Deal, "Channel", Kind::Select, &["Shop", "Web"]),
            field(41, Model::Contact, "Referred By", Kind::Text, &[]),
            field(42, Model::Contact, "Pet", Kind::Checkbox, &["Dog", "Cat"]),
            field(43, Model::Account, "Industry", Kind::Text, &[]),
            field(45, Model::Ticket, "Severity", Kind::Select, &["Low", "High"]),
        ]),
        listeners: Vec::new(),
        connections: Vec::new(),
        has_sms_account: false,
    }
}

impl TestOrg {
    /// Users ann@acme.test (the sender), bob@acme.test and gone@acme.test (inactive), the group
    /// Sales, the source Web (the listener's), custom fields of contacts, accounts and deals, stages,
    /// a category and a package of deals, currencies, channels, an SLA and a custom field of tickets.
    pub fn new() -> Self {
        let directory = directory();
        let listener = Listener {
            id: id(51),
            name: "Web form".to_owned(),
            enabled: true,
            respond_async: false,
            allowed_ips: Vec::new(),
            tokens: Vec::new(),
            default_tag: None,
            contact_source: Some(id(31)),
            lead_source: None,
            welcome_email: None,
            welcome_sms: None,
            skip_unknown_references: false,
            rate_limit: None,
        };
        let snapshot = Snapshot { sms_credits: 20, ..Snapshot::default() };
        Self {
            sender: directory.users.with_id(id(11)).unwrap().clone(),
            directory,
            listener,
            snapshot,
            connection: None,
        }
    }

    /// Payloads come through a connection with these settings.
    pub fn connected(mut self, settings: SourceSettings, on_match: OnMatch) -> Self {
        self.connection = Some(Connection {
            id: id(81),
            name: "Calls".to_owned(),
            enabled: true,
            listener: self.listener.id,
            sender: self.sender.id,
            tokens: Vec::new(),
            welcome: false,
            on_match,
            settings,
        });
        self
    }

    /// The listener drops names that the org does not have.
    pub fn skipping_unknown_references(mut self) -> Self {
        self.listener.skip_unknown_references = true;
        self
    }

    /// The listener welcomes by e-mail and SMS.
    pub fn welcoming(mut self) -> Self {
        let compile = |source, markup| MessageTemplate::compile(source, markup, &[]).unwrap();
        let wording = |content| Arc::new(Wording::new(content));
        let (subject, html) =
            ("Welcome {{ name }}", "<p>Dear {{ name }}, your code is {{ code }}.</p>");
        self.listener.welcome_email = Some(WelcomeEmail {
            subject: compile(subject, Markup::Line),
            html: compile(html, Markup::Html),
            text: None,
            wording: wording(Content::Email {
                subject: subject.to_owned(),
                html: html.to_owned(),
                text: None,
            }),
        });
        let text = "Welcome to {{ org.name }}";
        self.listener.welcome_sms = Some(WelcomeSms {
            text: compile(text, Markup::Text),
            wording: wording(Content::Sms { text: text.to_owned() }),
        });
        self
    }

    /// The org holds a customer of that code and name, with these identities.
    pub fn holding(mut self, code: &str, name: &str, identities: &[Identity]) -> Self {
        let code = CustomerCode::parse(code).unwrap();
        let known = KnownCustomer {
            id: id_of(code),
            code,
            name: name.to_owned(),
            name_key: fold(name),
            lastname_key: None,
        };
        self.snapshot
            .customers
            .holders
            .extend(identities.iter().map(|one| (one.clone(), known.id)));
        if code.kind == CustomerKind::Account {
            self.snapshot.customers.accounts_by_name.push((fold(name), known.id));
        }
        self.snapshot.customers.known.push(known);
        self
    }

    /// The org holds that record, to be found by what stands in it, and to be updated.
    pub fn keeping(mut self, record: Customer) -> Self {
        let world = record.code.kind.world();
        let region = self.directory.org.region;
        let emails = record.emails.iter().map(|entry| (IdentityKind::Email, email_key(entry)));
        let phones =
            record.phones.iter().map(|entry| (IdentityKind::Phone, phone_key(entry, region)));
        let contact_id = record.contact_id.clone().map(|id| (IdentityKind::ContactId, id));
        let passport = record
            .passport
            .as_deref()
            .map(|text| (IdentityKind::Passport, Passport::parse(text).unwrap().key().to_owned()));
        let identities: Vec<Identity> = emails
            .chain(phones)
            .chain(contact_id)
            .chain(passport)
            .map(|(kind, value)| Identity::new(world, kind, value))
            .collect();
        let code = record.code.to_string();
        self = self.holding(&code, &record.name, &identities);
        if record.code.kind == CustomerKind::Account {
            let name = company_name_identity(&fold(&record.name));
            self.snapshot.customers.holders.push((name, record.id));
        }
        *self.snapshot.customers.known.last_mut().unwrap() = KnownCustomer::of(&record);
        self.snapshot.customers.records.push(record);
        self
    }

    /// The org knows a tag.
    pub fn with_tag(mut self, name: &str, tag: Uuid) -> Self {
        self.snapshot.tag_names.push((tag, name.to_owned()));
        self.snapshot.tags.push((fold(name), tag));
        self
    }

    /// The org has so many SMS credits left.
    pub fn with_sms_credits(mut self, credits: i64) -> Self {
        self.snapshot.sms_credits = credits;
        self
    }

    /// What its payloads are read by.
    pub fn context(&self) -> Context<'_> {
        let Self { directory, listener, connection, .. } = self;
        Context { directory, listener, connection: connection.as_ref() }
    }

    fn request(&self) -> Request<'_> {
        Request {
            id: id(5),
            context: self.context(),
            sender: &self.sender,
            now: DateTime::<Utc>::UNIX_EPOCH,
            staging: true,
        }
    }

    /// Who has the names that the actions search, as the database would tell.
    fn by_name(&self, keys: Keys) -> Vec<(NameKey, Uuid)> {
        let mut by_name = Vec::new();
        for key in keys.names {
            let named = self.snapshot.customers.known.iter().filter(|known| known.has_name(&key));
            by_name.extend(named.take(SEVERAL).map(|known| (key.clone(), known.id)));
        }
        by_name
    }

    /// Reads and decides one action after the other; later ones see what earlier ones did.
    pub fn decide_all(&self, actions: &[(&str, Value)]) -> Vec<Result<Decision, Rejection>> {
        let item = |(index, (action_type, data)): (usize, &(&str, Value))| {
            let at = Pointer::root().member("data").index(index);
            let mut diagnostics = Diagnostics::default();
            let action = Action::read(action_type, data, &at, self.context(), &mut diagnostics);
            Item { index, action_type: None, action, diagnostics, places: None }
        };
        self.decide_items(&actions.iter().enumerate().map(item).collect::<Vec<_>>())
    }

    /// Decides one action after the other; later ones see what earlier ones did.
    pub fn decide_items(&self, items: &[Item]) -> Vec<Result<Decision, Rejection>> {
        let mut keys = Keys::default();
        items
            .iter()
            .filter_map(|item| item.action.as_ref())
            .for_each(|action| action.collect_keys(&mut keys));
        let mut snapshot = self.snapshot.clone();
        snapshot.customers.by_name = self.by_name(keys);
        let mut overlay = Overlay::new(self.request(), snapshot);
        let mut ids = Counting::default();
        items
            .iter()
            .map(|item| {
                let decision = item.decide(&overlay, &mut ids)?;
                overlay.apply(decision.changes.clone());
                Ok(decision)
            })
            .collect()
    }

    /// Reads one action, and tells what was found.
    pub fn read(&self, action_type: &str, data: &Value) -> Diagnostics {
        let (at, mut diagnostics) =
            (Pointer::root().member("data").index(0), Diagnostics::default());
        Action::read(action_type, data, &at, self.context(), &mut diagnostics);
        diagnostics
    }

    /// Reads and decides one action.
    pub fn decide(&self, action_type: &str, data: Value) -> Result<Decision, Rejection> {
        self.decide_all(&[(action_type, data)]).remove(0)
    }

    /// The codes and places of an action's faults.
    pub fn faults(&self, action_type: &str, data: Value) -> Vec<(String, String)> {
        let rejection = self.decide(action_type, data).expect_err("the action has faults");
        rejection
            .faults
            .into_iter()
            .map(|fault| (fault.code.as_str().to_owned(), fault.pointer))
            .collect()
    }
}
