//! The deal record (`listener.md` 7, "add-deal").

use super::permit::Permit;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The whole record, as it is written.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 7")]
pub struct Deal {
    pub id: Uuid,
    /// The sender's own id, to the letter, or the next number.
    pub deal_id: String,
    pub name: String,
    /// In `currency`, up to 4 digits after the point.
    pub value: Option<Decimal>,
    /// ISO 4217, upper case.
    pub currency: String,
    pub description: Option<String>,
    pub stage: Uuid,
    pub category: Option<Uuid>,
    pub package: Option<Uuid>,
    pub close_date: Option<DateTime<Utc>>,
    pub owners: DealOwners,
    pub cus_fields: BTreeMap<Uuid, String>,
    pub permit: Permit,
    /// The customer or lead that it is with; none after they were erased.
    pub deal_with: Option<Uuid>,
    /// Related customers.
    pub contacts: BTreeSet<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Who owns a deal: each is "me" to its permit (`listener.md` 5). In the order given, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DealOwners {
    /// Users.
    pub users: Vec<Uuid>,
    /// Groups, with all their members.
    pub groups: Vec<Uuid>,
}

impl DealOwners {
    /// One user alone.
    pub fn user(user: Uuid) -> Self {
        Self { users: vec![user], groups: Vec::new() }
    }

    /// Whether nobody owns it.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}
