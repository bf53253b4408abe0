//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod auth;
pub mod clock;
pub mod db;
pub mod domain;
pub mod error;
#[expect(missing_docs, reason = "the tables are described in the database")]
pub mod schema;
pub mod store;
