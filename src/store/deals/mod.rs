//! Deals, with their owners and contacts.

pub(super) mod load;
mod read;
pub mod references;
pub(super) mod write;

pub use read::*;
