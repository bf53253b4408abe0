//! Deals, with their owners and contacts.

pub(super) mod load;
mod read;
pub(crate) mod references;
mod row;
pub(super) mod write;

pub(crate) use read::{FoundDeal, find, find_id, list};
