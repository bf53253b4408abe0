//! The customers that a batch can see: those loaded, as its earlier actions left them.

use super::change::{Claim, RecordName, RecordRef};
use super::mentions::NameKey;
use crate::domain::customer::{Customer, CustomerCode, CustomerKind};
use crate::domain::identity::{Identity, IdentityKind, World};
use crate::domain::text::fold;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Its last name as names are compared.
    pub lastname_key: Option<String>,
}

impl KnownCustomer {
    /// What there is to know of a record.
    #[must_use]
    pub fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id,
            code: customer.code,
            name: customer.name.clone(),
            name_key: fold(&customer.name),
            lastname_key: customer.lastname.as_deref().map(fold),
        }
    }

    /// It, as answers name it.
    #[must_use]
    pub const fn record(&self) -> RecordRef {
        RecordRef { id: self.id, name: RecordName::Customer(self.code) }
    }

    fn has_name(&self, key: &NameKey) -> bool {
        let NameKey { world, name, lastname } = key;
        self.code.kind.world() == *world
            && self.name_key == *name
            && (lastname.is_none() || self.lastname_key == *lastname)
    }
}

/// What was loaded of customers.
#[derive(Clone, Debug, Default)]
pub struct LoadedCustomers {
    /// Those that something in the batch points to.
    pub known: Vec<KnownCustomer>,
    /// Of those that may be updated the whole record, locked.
    pub records: Vec<Customer>,
    /// Who holds the identities mentioned.
    pub holders: Vec<(Identity, Uuid)>,
    /// Accounts of the names mentioned, oldest first.
    pub accounts_by_name: Vec<(String, Uuid)>,
    /// Customers of the names mentioned for updates.
    pub by_name: Vec<(NameKey, Uuid)>,
}

/// The state of customers, and what of it the batch has changed.
#[derive(Debug, Default)]
pub struct Customers {
    known: HashMap<Uuid, KnownCustomer>,
    records: HashMap<Uuid, Customer>,
    by_code: HashMap<CustomerCode, Uuid>,
    holders: HashMap<Identity, Uuid>,
    accounts_by_name: HashMap<String, Vec<Uuid>>,
    by_name: HashMap<NameKey, Vec<Uuid>>,
    touched_by_name: HashMap<(World, String), Vec<Uuid>>,
    created: Vec<Uuid>,
    changed: BTreeSet<Uuid>,
    claims: BTreeMap<Identity, Claim>,
    released: BTreeSet<Identity>,
}

/// What a batch does to customers, ready to be written.
#[derive(Debug, Default)]
pub struct PendingCustomers {
    /// Those made, as the batch leaves them.
    pub created: Vec<Customer>,
    /// Those changed, as the batch leaves them, in id order.
    pub changed: Vec<Customer>,
    /// Identities let go, to be written before the claims.
    pub released: Vec<Identity>,
    /// Identities taken, in order.
    pub claims: Vec<Claim>,
}

impl Customers {
    /// The state as loaded.
    #[must_use]
    pub fn new(loaded: LoadedCustomers) -> Self {
        let LoadedCustomers { known, records, holders, accounts_by_name, by_name } = loaded;
        let mut customers = Self {
            by_code: known.iter().map(|customer| (customer.code, customer.id)).collect(),
            known: known.into_iter().map(|customer| (customer.id, customer)).collect(),
            holders: holders.into_iter().collect(),
            ..Self::default()
        };
        for (name, account) in accounts_by_name {
            customers.accounts_by_name.entry(name).or_default().push(account);
        }
        for (name, customer) in by_name {
            customers.by_name.entry(name).or_default().push(customer);
        }
        // The locked record is newer than what it was found by.
        for record in records {
            customers.known.insert(record.id, KnownCustomer::of(&record));
            customers.records.insert(record.id, record);
        }
        customers
    }

    /// What is known of a customer.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<&KnownCustomer> {
        self.known.get(&id)
    }

    /// The whole record: of those that may be updated, and of those that the batch made.
    #[must_use]
    pub fn record(&self, id: Uuid) -> Option<&Customer> {
        self.records.get(&id)
    }

    /// The customer who holds an identity.
    #[must_use]
    pub fn holder(&self, identity: &Identity) -> Option<&KnownCustomer> {
        self.known.get(self.holders.get(identity)?)
    }

    /// The customer of that code.
    #[must_use]
    pub fn with_code(&self, code: CustomerCode) -> Option<&KnownCustomer> {
        self.known.get(self.by_code.get(&code)?)
    }

    /// Accounts of that (folded) name, oldest first.
    pub fn accounts_named(&self, name_key: &str) -> impl Iterator<Item = &KnownCustomer> {
        self.accounts_by_name
            .get(name_key)
            .into_iter()
            .flatten()
            .filter_map(|id| self.known.get(id))
            .filter(move |account| account.name_key == name_key)
    }

    /// The customers of that name, as far as they were mentioned; at most a few.
    #[must_use]
    pub fn named(&self, key: &NameKey) -> Vec<&KnownCustomer> {
        let loaded = self.by_name.get(key).into_iter().flatten();
        let touched = self.touched_by_name.get(&(key.world, key.name.clone()));
        let ids: BTreeSet<&Uuid> = loaded.chain(touched.into_iter().flatten()).collect();
        ids.into_iter()
            .filter_map(|id| self.known.get(id))
            .filter(|customer| customer.has_name(key))
            .collect()
    }

    /// A customer comes to be.
    pub fn create(&mut self, customer: Customer) {
        self.by_code.insert(customer.code, customer.id);
        self.created.push(customer.id);
        self.take(customer);
    }

    /// A customer is from now on like this.
    pub fn change(&mut self, customer: Customer) {
        if !self.created.contains(&customer.id) {
            self.changed.insert(customer.id);
        }
        self.take(customer);
    }

    fn take(&mut self, customer: Customer) {
        let known = KnownCustomer::of(&customer);
        if known.code.kind == CustomerKind::Account {
            push_once(self.accounts_by_name.entry(known.name_key.clone()).or_default(), known.id);
        }
        let name = (known.code.kind.world(), known.name_key.clone());
        push_once(self.touched_by_name.entry(name).or_default(), known.id);
        self.known.insert(known.id, known);
        self.records.insert(customer.id, customer);
    }

    /// A customer comes to hold an identity.
    pub fn claim(&mut self, claim: Claim) {
        self.holders.insert(claim.identity.clone(), claim.customer);
        self.claims.insert(claim.identity.clone(), claim);
    }

    /// Nobody holds an identity any more.
    pub fn release(&mut self, identity: Identity) {
        self.holders.remove(&identity);
        if self.claims.remove(&identity).is_none() {
            self.released.insert(identity);
        }
    }

    /// What of it the batch has changed.
    #[must_use]
    pub fn into_pending(mut self) -> PendingCustomers {
        let records = &mut self.records;
        PendingCustomers {
            created: self.created.iter().filter_map(|id| records.remove(id)).collect(),
            changed: self.changed.iter().filter_map(|id| records.remove(id)).collect(),
            released: self.released.into_iter().collect(),
            claims: self.claims.into_values().collect(),
        }
    }
}

fn push_once(ids: &mut Vec<Uuid>, id: Uuid) {
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// The identity under which the name of an account is claimed.
#[must_use]
pub fn company_name_identity(name_key: &str) -> Identity {
    Identity::new(World::Customer, IdentityKind::CompanyName, name_key)
}
