//! What a batch mentions, and therefore has to be loaded before it is decided.

use crate::domain::customer::{CustomerCode, CustomerKind};
use crate::domain::identity::Identity;
use std::collections::{BTreeMap, BTreeSet};

/// Collected over all actions of a batch; sorted, so that the database is asked in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Identifiers, whose holders are wanted.
    pub identities: BTreeSet<Identity>,
    /// Codes of customers.
    pub codes: BTreeSet<CustomerCode>,
    /// Names of accounts, folded.
    pub account_names: BTreeSet<String>,
    /// Names of tags, folded.
    pub tags: BTreeSet<String>,
    /// How many customers of each kind may have to be made at most.
    pub new_customers: BTreeMap<CustomerKind, usize>,
}

impl Mentions {
    /// One more customer of that kind may have to be made.
    pub fn may_create(&mut self, kind: CustomerKind) {
        *self.new_customers.entry(kind).or_default() += 1;
    }
}
