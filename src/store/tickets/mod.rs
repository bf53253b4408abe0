//! Tickets of customers, with their tags.

mod read;
mod row;

pub(crate) use read::{FoundTicket, find, find_id, list};
pub(super) use row::{insert, insert_tags};
