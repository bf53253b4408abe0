//! The records of an org, as the API reads them (`api.md` 5).

mod activities;
mod customers;
mod deal_filters;
mod deals;
mod filters;
mod history;
mod notes;
mod operations;
mod record;
pub mod representation;
mod tickets;

use super::routes::Operation;

pub(super) const ROUTES: &[&[Operation]] = &[
    customers::contacts::ROUTES,
    customers::accounts::ROUTES,
    customers::leads::ROUTES,
    deals::ROUTES,
    tickets::ROUTES,
    notes::ROUTES,
    activities::ROUTES,
];
