//! All SQL. Every function on a tenant's table takes the org, and runs within `db::in_org`.

pub mod audit;
pub mod batch_load;
pub mod counters;
pub mod customer_references;
pub mod customers;
pub mod deal_references;
pub mod deals;
pub mod directory;
pub mod history;
pub mod idempotency;
pub mod listeners;
pub mod notes;
pub mod orgs;
pub mod sessions;
pub mod sign_in_failures;
mod statement;
pub mod tickets;
pub mod users;
pub mod vocabulary;
pub mod writes;
