//! Contacts, accounts and leads.

mod conditions;
pub(super) mod external_ids;
pub(super) mod identities;
mod known;
pub(super) mod load;
pub(super) mod lock;
mod read;
pub(crate) mod references;
mod row;
pub(super) mod tags;
pub(super) mod write;

pub use super::listing::Filters;
pub use read::{FoundCustomer, Owner, find, find_id, list};
