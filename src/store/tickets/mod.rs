//! Tickets of customers, with their tags.

mod read;
pub(super) mod write;

pub use read::*;
