//! What a batch names, and therefore has to be loaded before it is decided.

use crate::records::activity::ActivityKey;
use crate::records::counter::Counter;
use crate::records::customer::{CustomerCode, CustomerKind};
use crate::records::identity::Identity;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Collected over all actions of a batch; sorted, so that the database is asked in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Identifiers, whose holders are wanted.
    pub identities: BTreeSet<Identity>,
    /// Codes of customers.
    pub codes: BTreeSet<CustomerCode>,
    /// Names of accounts, folded.
    pub account_names: BTreeSet<String>,
    /// Names under which customers are searched in order to be updated.
    pub names: BTreeSet<NameKey>,
    /// What in all that may lead to a record that is changed: its whole record is wanted, locked.
    pub for_update: ForUpdate,
    /// Names of tags, folded.
    pub tags: BTreeSet<String>,
    /// Tags whose names are wanted.
    pub tag_ids: BTreeSet<Uuid>,
    /// The visible ids of deals.
    pub deal_ids: BTreeSet<String>,
    /// Names under which deals are searched, folded.
    pub deal_names: BTreeSet<String>,
    /// Activities that may be changed.
    pub activities: BTreeSet<ActivityKey>,
    /// Whether the customers of those activities are wanted.
    pub customers_of_activities: bool,
    /// Whether an SMS may be sent, which takes credits.
    pub sms: bool,
    /// How many numbers of each counter may be needed at most.
    pub numbers: BTreeMap<Counter, usize>,
}

/// A name as updates search it: without a last name, any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey {
    /// Among whom: kinds of one world.
    pub kinds: &'static [CustomerKind],
    /// The name, folded.
    pub name: String,
    /// The last name, folded.
    pub lastname: Option<String>,
}

/// What may lead to a record that is changed. Of names of customers those of [`Keys::names`] all may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForUpdate {
    /// By an identifier.
    pub identities: BTreeSet<Identity>,
    /// By a code.
    pub codes: BTreeSet<CustomerCode>,
    /// To a deal that is changed, by its visible id.
    pub deal_ids: BTreeSet<String>,
    /// To a deal that is changed, by its name.
    pub deal_names: BTreeSet<String>,
}

impl Keys {
    /// One more customer of that kind may have to be made.
    pub fn may_create(&mut self, kind: CustomerKind) {
        self.may_number(Counter::Customer(kind));
    }

    /// One more number of that counter may be needed.
    pub fn may_number(&mut self, counter: Counter) {
        *self.numbers.entry(counter).or_default() += 1;
    }
}
