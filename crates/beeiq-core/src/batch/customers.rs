//! The customers that a batch can see: those loaded, as its earlier actions left them.

use super::change::{Claim, RecordRef};
use super::keys::{Keys, NameKey};
use crate::records::customer::{Customer, CustomerCode, CustomerKind};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::values::text::fold;
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
    pub const fn record(&self) -> RecordRef {
        RecordRef::of_customer(self.id, self.code)
    }

    /// Whether an update that searches this name means it, among others.
    pub fn has_name(&self, key: &NameKey) -> bool {
        let NameKey { kinds, name, lastname } = key;
        kinds.contains(&self.code.kind)
            && self.name_key == *name
            && (lastname.is_none() || self.lastname_key == *lastname)
    }
}

/// What was loaded of customers.
#[derive(Clone, Debug, Default)]
pub struct CustomerSnapshot {
    /// Those that something in the batch points to.
    pub known: Vec<KnownCustomer>,
    /// Of those that may be updated the whole record, locked.
    pub records: Vec<Customer>,
    /// Who holds the identities looked for, and all identities of those that may be updated.
    pub holders: Vec<(Identity, Uuid)>,
    /// Accounts of the names looked for, oldest first.
    pub accounts_by_name: Vec<(String, Uuid)>,
    /// Customers of the names looked for for updates, at most [`SEVERAL`] of each.
    pub by_name: Vec<(NameKey, Uuid)>,
}

/// From how many customers of a name on none of them is loaded in order to be updated: such a name
/// finds several, whatever the batch does.
pub const SEVERAL: usize = 3;

/// The state of customers, and what of it the batch has changed.
#[derive(Debug, Default)]
pub struct Customers {
    known: HashMap<Uuid, KnownCustomer>,
    records: HashMap<Uuid, Customer>,
    by_code: HashMap<CustomerCode, Uuid>,
    holders: HashMap<Identity, Uuid>,
    identities: HashMap<Uuid, BTreeSet<Identity>>,
    accounts_by_name: HashMap<String, Vec<Uuid>>,
    by_name: HashMap<NameKey, Vec<Uuid>>,
    touched_by_name: HashMap<String, Vec<Uuid>>,
    created: Vec<Uuid>,
    /// Those that were there before, with the tags that they had.
    changed: BTreeMap<Uuid, Vec<Uuid>>,
    /// By whom, and whether exclusively.
    claims: BTreeMap<Identity, (Uuid, bool)>,
    released: BTreeSet<Identity>,
}

/// What a batch does to customers, ready to be written.
#[derive(Debug, Default)]
pub struct PendingCustomers {
    /// Those made, as the batch leaves them.
    pub created: Vec<Customer>,
    /// Those changed, as the batch leaves them, in id order.
    pub changed: Vec<Customer>,
    /// Tags that those changed did not have, in order: customer, tag.
    pub tagged: Vec<(Uuid, Uuid)>,
    /// Tags that those changed no longer have, in order: customer, tag.
    pub untagged: Vec<(Uuid, Uuid)>,
    /// Identities let go, to be written before the claims.
    pub released: Vec<Identity>,
    /// Identities taken, in order.
    pub claims: Vec<Claim>,
}

impl Customers {
    /// The state as loaded.
    pub fn new(snapshot: CustomerSnapshot) -> Self {
        let CustomerSnapshot { known, records, holders, accounts_by_name, by_name } = snapshot;
        let mut customers = Self {
            by_code: known.iter().map(|customer| (customer.code, customer.id)).collect(),
            known: known.into_iter().map(|customer| (customer.id, customer)).collect(),
            ..Self::default()
        };
        for (identity, holder) in holders {
            customers.hold(identity, holder);
        }
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

    /// What of it is needed to find and make the customers looked for.
    pub fn subset(&self, keys: &Keys) -> CustomerSnapshot {
        let holders: Vec<(Identity, Uuid)> = keys
            .identities
            .iter()
            .filter_map(|identity| Some((identity.clone(), *self.holders.get(identity)?)))
            .collect();
        let accounts_by_name: Vec<(String, Uuid)> = keys
            .account_names
            .iter()
            .flat_map(|name| self.accounts_named(name).map(|account| (name.clone(), account.id)))
            .collect();
        let pointed_to = holders.iter().map(|(_, id)| id);
        let named = accounts_by_name.iter().map(|(_, id)| id);
        let coded = keys.codes.iter().filter_map(|code| self.by_code.get(code));
        let ids: BTreeSet<&Uuid> = pointed_to.chain(named).chain(coded).collect();
        let known = ids.into_iter().filter_map(|id| self.known.get(id)).cloned().collect();
        CustomerSnapshot { known, holders, accounts_by_name, ..CustomerSnapshot::default() }
    }

    /// What is known of a customer.
    pub fn get(&self, id: Uuid) -> Option<&KnownCustomer> {
        self.known.get(&id)
    }

    /// The whole record: of those that may be updated, and of those that the batch made.
    pub fn record(&self, id: Uuid) -> Option<&Customer> {
        self.records.get(&id)
    }

    /// The customer who holds an identity.
    pub fn holder(&self, identity: &Identity) -> Option<&KnownCustomer> {
        self.known.get(self.holders.get(identity)?)
    }

    /// The customer of that code.
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

    /// The customer of that name, where exactly one has it; the name has to be among the keys.
    pub fn only_one_named(&self, key: &NameKey) -> Option<&KnownCustomer> {
        let snapshot = self.by_name.get(key).map(Vec::as_slice).unwrap_or_default();
        if snapshot.len() >= SEVERAL {
            return None;
        }
        let touched = self.touched_by_name.get(&key.name).into_iter().flatten();
        let mut named = snapshot
            .iter()
            .chain(touched.filter(|id| !snapshot.contains(id)))
            .filter_map(|id| self.known.get(id))
            .filter(|customer| customer.has_name(key));
        let first = named.next();
        first.filter(|_| named.next().is_none())
    }

    /// What a customer holds who may be updated, or whom the batch made.
    pub fn identities_of(&self, id: Uuid) -> impl Iterator<Item = &Identity> {
        self.identities.get(&id).into_iter().flatten()
    }

    /// A customer comes to be.
    pub fn create(&mut self, customer: Customer) {
        self.by_code.insert(customer.code, customer.id);
        self.created.push(customer.id);
        self.take(customer);
    }

    /// A customer is from now on like this.
    pub fn change(&mut self, customer: Customer) {
        if !self.created.contains(&customer.id)
            && let Some(before) = self.records.get(&customer.id)
        {
            self.changed.entry(customer.id).or_insert_with(|| before.tags.clone());
        }
        self.take(customer);
    }

    fn take(&mut self, customer: Customer) {
        let known = KnownCustomer::of(&customer);
        if known.code.kind == CustomerKind::Account {
            push_once(self.accounts_by_name.entry(known.name_key.clone()).or_default(), known.id);
        }
        push_once(self.touched_by_name.entry(known.name_key.clone()).or_default(), known.id);
        self.known.insert(known.id, known);
        self.records.insert(customer.id, customer);
    }

    /// A customer comes to hold an identity.
    pub fn claim(&mut self, claim: Claim) {
        let Claim { identity, customer, exclusive } = claim;
        self.hold(identity.clone(), customer);
        self.claims.insert(identity, (customer, exclusive));
    }

    /// Nobody holds an identity any more.
    pub fn release(&mut self, identity: Identity) {
        if let Some(holder) = self.holders.remove(&identity)
            && let Some(held) = self.identities.get_mut(&holder)
        {
            held.remove(&identity);
        }
        if self.claims.remove(&identity).is_none() {
            self.released.insert(identity);
        }
    }

    fn hold(&mut self, identity: Identity, holder: Uuid) {
        self.identities.entry(holder).or_default().insert(identity.clone());
        self.holders.insert(identity, holder);
    }

    /// What of it the batch has changed.
    pub fn into_pending(mut self) -> PendingCustomers {
        let records = &mut self.records;
        let created = self.created.iter().filter_map(|id| records.remove(id)).collect();
        let (mut tagged, mut untagged) = (BTreeSet::new(), BTreeSet::new());
        let mut changed = Vec::with_capacity(self.changed.len());
        for (id, tags_before) in self.changed {
            let Some(customer) = records.remove(&id) else { continue };
            let tags = || customer.tags.iter();
            tagged.extend(tags().filter(|tag| !tags_before.contains(tag)).map(|tag| (id, *tag)));
            let gone = tags_before.into_iter().filter(|tag| !customer.tags.contains(tag));
            untagged.extend(gone.map(|tag| (id, tag)));
            changed.push(customer);
        }
        let claim = |(identity, (customer, exclusive))| Claim { identity, customer, exclusive };
        PendingCustomers {
            created,
            changed,
            tagged: tagged.into_iter().collect(),
            untagged: untagged.into_iter().collect(),
            released: self.released.into_iter().collect(),
            claims: self.claims.into_iter().map(claim).collect(),
        }
    }
}

fn push_once(ids: &mut Vec<Uuid>, id: Uuid) {
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// The identity under which the name of an account is claimed.
pub fn company_name_identity(name_key: &str) -> Identity {
    Identity::new(World::Customer, IdentityKind::CompanyName, name_key)
}
