//! The records of an org, as the API reads them (`api.md` 5).

pub mod activities;
pub mod customers;
mod deal_filters;
pub mod deals;
mod filters;
pub mod history;
pub mod notes;
mod record;
pub mod representation;
pub mod tickets;

use super::openapi::NoSuchRecord;
