//! All SQL. Every function on a tenant's table takes the org, and runs within `db::in_org`.

pub mod batch_load;
pub mod counters;
pub mod customers;
pub mod directory;
pub mod history;
pub mod idempotency;
pub mod listeners;
pub mod orgs;
pub mod sessions;
pub mod sign_in_failures;
pub mod users;
pub mod vocabulary;
pub mod writes;
