//! Activities of customers.

mod load;
mod read;
mod row;

pub(super) use load::load;
pub(crate) use read::{ActivityFilters, FoundActivity, find, list};
pub(super) use row::{insert, is_lost, update};
