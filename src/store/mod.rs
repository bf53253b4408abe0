//! All SQL. Every function on a tenant's table takes the org, and runs within `db::in_org`.

pub mod audit;
pub mod batch_load;
pub mod counters;
pub mod customer_references;
pub mod customers;
pub mod deal_references;
pub mod deals;
pub mod deliveries;
pub mod delivery_log;
pub mod directory;
pub mod erasure;
pub mod history;
pub mod idempotency;
pub mod listeners;
pub mod message_accounts;
pub mod notes;
pub mod orgs;
pub mod outbox;
pub mod sessions;
pub mod sign_in_failures;
mod text_search;
pub mod tickets;
pub mod users;
pub mod vocabulary;
pub mod writes;
