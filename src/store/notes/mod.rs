//! Notes on customers and deals.

mod read;
mod row;

pub(crate) use read::{FoundNote, Target, find, list};
pub(super) use row::insert;
