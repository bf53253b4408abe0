//! Contacts, accounts and leads.

pub(super) mod identities;
pub(super) mod load;
pub(super) mod lock;
mod read;
pub mod references;
pub(super) mod tags;
pub(super) mod write;

pub use identities::{kind_number, world_number};
pub use read::*;
