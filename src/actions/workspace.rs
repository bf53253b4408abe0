//! What is known while a batch is decided: what was loaded, and what its earlier actions did.

use super::change::{Change, Claim, Content, HistoryLine, Message, NewTag, RecordRef};
use super::context::Context;
use crate::directory::User;
use crate::domain::customer::{Customer, CustomerCode, CustomerKind};
use crate::domain::identity::{Identity, IdentityKind, World};
use crate::domain::text::fold;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// What a record has to be known by to be matched and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCustomer {
    /// Its id.
    pub id: Uuid,
    /// Its code.
    pub code: CustomerCode,
    /// Its name.
    pub name: String,
    /// Its name as names are compared.
    pub name_key: String,
}

impl KnownCustomer {
    /// What there is to know of a record that is being made.
    #[must_use]
    pub fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id,
            code: customer.code,
            name: customer.name.clone(),
            name_key: fold(&customer.name),
        }
    }

    /// It, as answers name it.
    #[must_use]
    pub const fn record(&self) -> RecordRef {
        RecordRef { id: self.id, code: self.code }
    }
}

/// What was loaded for a batch.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Customers that something in the batch points to.
    pub customers: Vec<KnownCustomer>,
    /// Who holds the identities mentioned.
    pub holders: Vec<(Identity, Uuid)>,
    /// Accounts of the names mentioned, oldest first.
    pub accounts_by_name: Vec<(String, Uuid)>,
    /// Tags of the names mentioned.
    pub tags: Vec<(String, Uuid)>,
    /// Trial SMS credits left.
    pub sms_credits: i64,
}

/// Everything that the batch has changed so far, ready to be written.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the changes of change.rs, by table")]
pub struct Pending {
    pub customers: Vec<Customer>,
    pub claims: Vec<Claim>,
    pub tags: Vec<NewTag>,
    pub history: Vec<HistoryLine>,
    pub messages: Vec<Message>,
    pub sms_credits_taken: i64,
}

impl Pending {
    /// Whether nothing is to be written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.history.is_empty()
    }
}

/// The request that the batch came with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The org's names and the listener.
    pub context: Context<'a>,
    /// The `senderUser`.
    pub sender: &'a User,
    /// When it came.
    pub now: DateTime<Utc>,
    /// Whether messages are captured instead of sent.
    pub staging: bool,
}

/// The state of the org as far as the batch can see it. Reading it does no I/O.
#[derive(Debug)]
pub struct Workspace<'a> {
    /// The request.
    pub request: Request<'a>,
    customers: HashMap<Uuid, KnownCustomer>,
    by_code: HashMap<CustomerCode, Uuid>,
    holders: HashMap<Identity, Uuid>,
    accounts_by_name: HashMap<String, Vec<Uuid>>,
    tags: HashMap<String, Uuid>,
    sms_credits: i64,
    pending: Pending,
}

impl<'a> Workspace<'a> {
    /// The state as loaded.
    #[must_use]
    pub fn new(request: Request<'a>, loaded: Loaded) -> Self {
        let Loaded { customers, holders, accounts_by_name: accounts, tags, sms_credits } = loaded;
        let mut accounts_by_name: HashMap<String, Vec<Uuid>> = HashMap::new();
        for (name, account) in accounts {
            accounts_by_name.entry(name).or_default().push(account);
        }
        Self {
            request,
            by_code: customers.iter().map(|customer| (customer.code, customer.id)).collect(),
            customers: customers.into_iter().map(|customer| (customer.id, customer)).collect(),
            holders: holders.into_iter().collect(),
            accounts_by_name,
            tags: tags.into_iter().collect(),
            sms_credits,
            pending: Pending::default(),
        }
    }

    /// The customer who holds an identity.
    #[must_use]
    pub fn holder(&self, identity: &Identity) -> Option<&KnownCustomer> {
        self.customers.get(self.holders.get(identity)?)
    }

    /// The customer of that code.
    #[must_use]
    pub fn customer_with_code(&self, code: CustomerCode) -> Option<Uuid> {
        self.by_code.get(&code).copied()
    }

    /// What is known of a customer.
    #[must_use]
    pub fn customer(&self, id: Uuid) -> Option<&KnownCustomer> {
        self.customers.get(&id)
    }

    /// Accounts of that (folded) name, oldest first.
    #[must_use]
    pub fn accounts_named(&self, name_key: &str) -> &[Uuid] {
        self.accounts_by_name.get(name_key).map_or(&[], Vec::as_slice)
    }

    /// The tag of that (folded) name.
    #[must_use]
    pub fn tag(&self, name_key: &str) -> Option<Uuid> {
        self.tags.get(name_key).copied()
    }

    /// Trial SMS credits left after what the batch has taken.
    #[must_use]
    pub const fn sms_credits(&self) -> i64 {
        self.sms_credits
    }

    /// Takes the changes of an action over, so that later actions see them.
    pub fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::CustomerCreated(customer) => self.add_customer(*customer),
                Change::IdentityClaimed(claim) => {
                    self.holders.insert(claim.identity.clone(), claim.customer);
                    self.pending.claims.push(claim);
                }
                Change::TagCreated(tag) => {
                    self.tags.insert(tag.name_key.clone(), tag.id);
                    self.pending.tags.push(tag);
                }
                Change::HistoryAdded(line) => self.pending.history.push(line),
                Change::MessageQueued(message) => self.add_message(*message),
            }
        }
    }

    /// Everything changed so far.
    #[must_use]
    pub fn into_pending(self) -> Pending {
        self.pending
    }

    fn add_customer(&mut self, customer: Customer) {
        let known = KnownCustomer::of(&customer);
        if customer.code.kind == CustomerKind::Account {
            self.accounts_by_name.entry(known.name_key.clone()).or_default().push(customer.id);
        }
        self.by_code.insert(customer.code, customer.id);
        self.customers.insert(customer.id, known);
        self.pending.customers.push(customer);
    }

    fn add_message(&mut self, message: Message) {
        if let Content::Sms { segments, .. } = message.content {
            self.sms_credits -= i64::from(segments);
            self.pending.sms_credits_taken += i64::from(segments);
        }
        self.pending.messages.push(message);
    }
}

/// The identity under which the name of an account is claimed.
#[must_use]
pub fn company_name_identity(name_key: &str) -> Identity {
    Identity::new(World::Customer, IdentityKind::CompanyName, name_key)
}

/// Where new ids and codes come from.
pub trait Ids {
    /// A new id, above all before it.
    fn id(&mut self) -> Uuid;
    /// The next code of that kind.
    fn code(&mut self, kind: CustomerKind) -> CustomerCode;
}
