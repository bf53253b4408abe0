//! The deals that a batch can see: those loaded, as its earlier actions left them.

use super::change::{RecordName, RecordRef};
use crate::records::deal::Deal;
use crate::values::text::fold;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// What a deal has to be known by to be found and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDeal {
    /// Its id.
    pub id: Uuid,
    /// Its visible id.
    pub deal_id: String,
    /// Its name as names are compared.
    pub name_key: String,
    /// The customer that it is with.
    pub deal_with: Option<Uuid>,
}

impl KnownDeal {
    /// What there is to know of a record.
    pub fn of(deal: &Deal) -> Self {
        Self {
            id: deal.id,
            deal_id: deal.deal_id.clone(),
            name_key: fold(&deal.name),
            deal_with: deal.deal_with,
        }
    }

    /// It, as answers name it.
    pub fn record(&self) -> RecordRef {
        RecordRef { id: self.id, name: RecordName::Deal(self.deal_id.clone()) }
    }
}

/// What was loaded of deals.
#[derive(Clone, Debug, Default)]
pub struct DealSnapshot {
    /// Those that something in the batch points to; of a name at most a few, oldest first.
    pub known: Vec<KnownDeal>,
    /// Of those that may be updated the whole record, locked.
    pub records: Vec<Deal>,
}

impl DealSnapshot {
    /// Whom they belong to, as far as that is known.
    pub fn customers(&self) -> BTreeSet<Uuid> {
        let contacts = self.records.iter().flat_map(|deal| deal.contacts.iter().copied());
        contacts.chain(self.known.iter().filter_map(|deal| deal.deal_with)).collect()
    }
}

/// The state of deals, and what of it the batch has changed.
#[derive(Debug, Default)]
pub struct Deals {
    known: HashMap<Uuid, KnownDeal>,
    records: HashMap<Uuid, Deal>,
    by_deal_id: HashMap<String, Uuid>,
    by_name: HashMap<String, BTreeSet<Uuid>>,
    created: BTreeSet<Uuid>,
    changed: BTreeSet<Uuid>,
    claims: BTreeMap<String, NameClaim>,
    renamed: BTreeSet<Uuid>,
}

/// Which deal takes a name, so that nobody else makes a deal of that name at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameClaim {
    /// The name, folded.
    pub name_key: String,
    /// The deal.
    pub deal: Uuid,
    /// Whether the change is void where somebody else was faster: a deal made because there was
    /// none of that name. Deals with ids of their own may share a name.
    pub exclusive: bool,
}

/// What a batch does to deals, ready to be written.
#[derive(Debug, Default)]
pub struct PendingDeals {
    /// Those made, as the batch leaves them, in the order in which they were made.
    pub created: Vec<Deal>,
    /// Those changed, as the batch leaves them, in id order.
    pub changed: Vec<Deal>,
    /// Those that let go of their names, to be written before the claims; in id order.
    pub renamed: Vec<Uuid>,
    /// Names taken, in order.
    pub claims: Vec<NameClaim>,
}

impl PendingDeals {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        let Self { created, changed, renamed, claims } = self;
        created.is_empty() && changed.is_empty() && renamed.is_empty() && claims.is_empty()
    }
}

impl Deals {
    /// The state as loaded.
    pub fn new(snapshot: DealSnapshot) -> Self {
        let DealSnapshot { known, records } = snapshot;
        let mut deals = Self::default();
        for known in known {
            deals.know(known);
        }
        // The locked record is newer than what it was found by.
        for record in records {
            deals.take(record);
        }
        deals
    }

    /// The deal of that visible id.
    pub fn with_deal_id(&self, deal_id: &str) -> Option<&KnownDeal> {
        self.known.get(self.by_deal_id.get(deal_id)?)
    }

    /// The deals of that (folded) name, oldest first; of many not all.
    pub fn named(&self, name_key: &str) -> impl Iterator<Item = &KnownDeal> + use<'_> {
        self.by_name.get(name_key).into_iter().flatten().filter_map(|id| self.known.get(id))
    }

    /// The whole record: of those that may be updated, and of those that the batch made.
    pub fn record(&self, id: Uuid) -> Option<&Deal> {
        self.records.get(&id)
    }

    /// A deal comes to be; `exclusive` where only because there is none of its name.
    pub fn create(&mut self, deal: Deal, exclusive: bool) {
        self.created.insert(deal.id);
        self.claim(NameClaim { name_key: fold(&deal.name), deal: deal.id, exclusive });
        self.take(deal);
    }

    /// A deal is from now on like this.
    pub fn change(&mut self, deal: Deal) {
        if !self.created.contains(&deal.id) {
            self.changed.insert(deal.id);
        }
        let name_key = fold(&deal.name);
        if let Some(before) = self.known.get(&deal.id)
            && before.name_key != name_key
        {
            if self.claims.get(&before.name_key).is_some_and(|claim| claim.deal == deal.id) {
                self.claims.remove(&before.name_key);
            }
            self.renamed.insert(deal.id);
            self.claim(NameClaim { name_key, deal: deal.id, exclusive: false });
        }
        self.take(deal);
    }

    /// What of it the batch has changed.
    pub fn into_pending(mut self) -> PendingDeals {
        let records = &mut self.records;
        PendingDeals {
            created: self.created.iter().filter_map(|id| records.remove(id)).collect(),
            changed: self.changed.iter().filter_map(|id| records.remove(id)).collect(),
            renamed: self.renamed.difference(&self.created).copied().collect(),
            claims: self.claims.into_values().collect(),
        }
    }

    /// The first of the batch to take a name holds it.
    fn claim(&mut self, claim: NameClaim) {
        self.claims.entry(claim.name_key.clone()).or_insert(claim);
    }

    fn take(&mut self, deal: Deal) {
        self.know(KnownDeal::of(&deal));
        self.records.insert(deal.id, deal);
    }

    fn know(&mut self, deal: KnownDeal) {
        if let Some(before) = self.known.get(&deal.id)
            && before.name_key != deal.name_key
            && let Some(ids) = self.by_name.get_mut(&before.name_key)
        {
            ids.remove(&deal.id);
        }
        self.by_deal_id.insert(deal.deal_id.clone(), deal.id);
        self.by_name.entry(deal.name_key.clone()).or_default().insert(deal.id);
        self.known.insert(deal.id, deal);
    }
}
