//! What is known while a batch is decided: what was loaded, and what its earlier actions did.

use super::activities::{Activities, PendingActivities};
use super::change::{Change, HistoryLine, Message, NewTag};
use super::context::Context;
use super::customers::{CustomerSnapshot, Customers, PendingCustomers};
use super::deals::{DealSnapshot, Deals, PendingDeals};
use super::keys::Keys;
use crate::directory::User;
use crate::records::activity::Activity;
use crate::records::counter::Counter;
use crate::records::customer::{CustomerCode, CustomerKind};
use crate::records::identity::Identity;
use crate::records::note::Note;
use crate::records::ticket::Ticket;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What was loaded for a batch, before any of its actions.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Customers that something in the batch points to.
    pub customers: CustomerSnapshot,
    /// External ids among the keys that are of somebody who has been erased.
    pub erased: HashSet<Identity>,
    /// Deals that something in the batch points to.
    pub deals: DealSnapshot,
    /// Activities that something in the batch names, locked.
    pub activities: Vec<Activity>,
    /// Tags of the names looked for.
    pub tags: Vec<(String, Uuid)>,
    /// The names of tags that were looked for, or that customers to be updated have.
    pub tag_names: Vec<(Uuid, String)>,
    /// Trial SMS credits left, where an SMS may be sent.
    pub sms_credits: i64,
}

/// Everything that the batch has changed so far, ready to be written.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the changes of change.rs, by table")]
pub struct Pending {
    pub customers: PendingCustomers,
    pub deals: PendingDeals,
    pub activities: PendingActivities,
    pub tags: Vec<(Origin, NewTag)>,
    pub notes: Vec<Note>,
    pub tickets: Vec<Ticket>,
    pub history: Vec<(Origin, HistoryLine)>,
    pub messages: Vec<(Origin, Message)>,
    pub sms_credits_taken: i64,
}

impl Pending {
    /// The ids of everything that an answer may name and that the batch makes: a dry run makes
    /// nothing, so it shows none of them.
    pub fn created_ids(&self) -> HashSet<Uuid> {
        let customers = self.customers.created.iter().map(|customer| customer.id);
        let deals = self.deals.created.iter().map(|deal| deal.id);
        let notes = self.notes.iter().map(|note| note.id);
        let tickets = self.tickets.iter().map(|ticket| ticket.id);
        let activities = self.activities.created.iter().map(|activity| activity.id);
        let messages = self.messages.iter().map(|(_, message)| message.id);
        let records = customers.chain(deals).chain(notes).chain(tickets);
        records.chain(activities).chain(messages).collect()
    }
}

/// By what a row came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The delivery.
    pub request: Uuid,
    /// The listener that took it.
    pub listener: Uuid,
    /// The connection through which it came, where it did not come to the listener itself.
    pub connection: Option<Uuid>,
    /// Its `senderUser`.
    pub sender: Uuid,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// The request whose actions are decided.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its id.
    pub id: Uuid,
    /// The org's names and the listener.
    pub context: Context<'a>,
    /// The `senderUser`.
    pub sender: &'a User,
    /// When it came.
    pub now: DateTime<Utc>,
    /// Whether messages are captured instead of sent.
    pub staging: bool,
}

impl Request<'_> {
    /// What the rows that come of it are marked with.
    pub const fn origin(&self) -> Origin {
        let Self { id, context, sender, now, staging: _ } = self;
        let connection = match context.connection {
            Some(connection) => Some(connection.id),
            None => None,
        };
        let listener = context.listener.id;
        Origin { request: *id, listener, connection, sender: sender.id, at: *now }
    }
}

/// What a batch can see of the org: the snapshot, with the changes of its earlier actions laid over
/// it. Reading it does no I/O.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The request whose turn it is: a batch may have the actions of several.
    pub request: Request<'a>,
    /// The customers.
    pub customers: Customers,
    /// The deals.
    pub deals: Deals,
    /// The activities.
    pub activities: Activities,
    erased: HashSet<Identity>,
    tags: HashMap<String, Uuid>,
    tag_names: HashMap<Uuid, String>,
    sms_credits: i64,
    new_tags: Vec<(Origin, NewTag)>,
    notes: Vec<Note>,
    tickets: Vec<Ticket>,
    history: Vec<(Origin, HistoryLine)>,
    messages: Vec<(Origin, Message)>,
    sms_credits_taken: i64,
}

impl<'a> Overlay<'a> {
    /// The state as loaded.
    pub fn new(request: Request<'a>, snapshot: Snapshot) -> Self {
        let Snapshot { customers, erased, deals, activities, tags, tag_names, sms_credits } =
            snapshot;
        Self {
            request,
            customers: Customers::new(customers),
            erased,
            deals: Deals::new(deals),
            activities: Activities::new(activities),
            tags: tags.into_iter().collect(),
            tag_names: tag_names.into_iter().collect(),
            sms_credits,
            new_tags: Vec::new(),
            notes: Vec::new(),
            tickets: Vec::new(),
            history: Vec::new(),
            messages: Vec::new(),
            sms_credits_taken: 0,
        }
    }

    /// The state as far as these keys lead, to make customers in one after the other while one
    /// action is decided.
    pub fn fork(&self, keys: &Keys) -> Self {
        let snapshot = Snapshot {
            customers: self.customers.subset(keys),
            erased: HashSet::new(),
            deals: DealSnapshot::default(),
            activities: Vec::new(),
            tags: keys
                .tags
                .iter()
                .filter_map(|name_key| Some((name_key.clone(), self.tag(name_key)?)))
                .collect(),
            tag_names: Vec::new(),
            sms_credits: self.sms_credits,
        };
        Self::new(self.request, snapshot)
    }

    /// The tag of that (folded) name.
    pub fn tag(&self, name_key: &str) -> Option<Uuid> {
        self.tags.get(name_key).copied()
    }

    /// The name of a tag that was looked for, or that a customer to be updated has.
    pub fn tag_name(&self, tag: Uuid) -> Option<&str> {
        self.tag_names.get(&tag).map(String::as_str)
    }

    /// The trial SMS credits left after what the batch has taken, where they do not suffice for
    /// `cost` more. An org with an SMS account of its own needs none.
    pub const fn too_few_sms_credits(&self, cost: i64) -> Option<i64> {
        if self.takes_sms_credits() && cost > self.sms_credits {
            Some(self.sms_credits)
        } else {
            None
        }
    }

    /// Whether an id that a source has is that of somebody who has been erased.
    pub fn is_erased(&self, external_id: &Identity) -> bool {
        self.erased.contains(external_id)
    }

    const fn takes_sms_credits(&self) -> bool {
        !self.request.context.directory.has_sms_account
    }

    /// Takes the changes of an action over, so that later actions see them.
    pub fn apply(&mut self, changes: Vec<Change>) {
        let origin = self.request.origin();
        for change in changes {
            match change {
                Change::CustomerCreated(customer) => self.customers.create(*customer),
                Change::CustomerChanged(customer) => self.customers.change(*customer),
                Change::IdentityClaimed(claim) => self.customers.claim(claim),
                Change::IdentityReleased(identity) => self.customers.release(identity),
                Change::DealCreated { deal, by_name } => self.deals.create(*deal, by_name),
                Change::DealChanged(deal) => self.deals.change(*deal),
                Change::TagCreated(tag) => {
                    self.tags.insert(tag.name_key.clone(), tag.id);
                    self.tag_names.insert(tag.id, tag.name.clone());
                    self.new_tags.push((origin, tag));
                }
                Change::NoteAdded(note) => self.notes.push(*note),
                Change::TicketAdded(ticket) => self.tickets.push(*ticket),
                Change::ActivityAdded(activity) => self.activities.create(*activity),
                Change::ActivityChanged(activity) => self.activities.change(*activity),
                Change::HistoryAdded(line) => self.history.push((origin, line)),
                Change::MessageQueued(message) => self.queue(origin, *message),
            }
        }
    }

    /// Everything changed so far.
    pub fn into_pending(self) -> Pending {
        Pending {
            customers: self.customers.into_pending(),
            deals: self.deals.into_pending(),
            activities: self.activities.into_pending(),
            tags: self.new_tags,
            notes: self.notes,
            tickets: self.tickets,
            history: self.history,
            messages: self.messages,
            sms_credits_taken: self.sms_credits_taken,
        }
    }

    fn queue(&mut self, origin: Origin, message: Message) {
        if let Some(segments) = message.segments
            && self.takes_sms_credits()
        {
            self.sms_credits -= i64::from(segments);
            self.sms_credits_taken += i64::from(segments);
        }
        self.messages.push((origin, message));
    }
}

/// Where new ids and codes come from.
pub trait Ids {
    /// A new id, above all before it.
    fn id(&mut self) -> Uuid;
    /// The next number of that counter.
    fn number(&mut self, counter: Counter) -> i64;
    /// The next id for a deal whose sender gives none; no deal has it.
    fn deal_id(&mut self) -> String;
    /// The next code of that kind.
    fn code(&mut self, kind: CustomerKind) -> CustomerCode {
        CustomerCode { kind, number: self.number(Counter::Customer(kind)) }
    }
}
