//! All SQL. Every function on a tenant's table takes the org, and runs within `db::in_org`.

/// The tables: a crate of their own, so that what does not touch them is checked without them.
pub(crate) use beeiq_schema as schema;

pub mod access;
pub(crate) mod activities;
mod advisory_lock;
pub mod audit;
pub mod batch_load;
mod call;
pub(crate) mod connection_state;
mod connections;
pub mod constraints;
pub mod counters;
pub mod customers;
pub mod deals;
pub mod deliveries;
pub mod deliveries_depth;
pub mod delivery_log;
pub mod directory;
pub mod erasure;
pub mod error;
pub mod history;
pub mod idempotency;
mod json;
pub(crate) mod listing;
pub(crate) mod mail_quotas;
pub mod notes;
pub mod orgs;
pub mod outbox;
pub mod outbox_depth;
pub mod pool;

pub(crate) mod pulling;
pub(crate) mod rekey;
pub mod retention;
pub mod sandbox;
pub mod settings;
mod statement;
mod text_search;
pub mod tickets;
pub mod word;
mod wordings;
pub mod writes;
