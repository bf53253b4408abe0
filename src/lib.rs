//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod http;
#[expect(missing_docs, reason = "the tables are described in the database")]
pub mod schema;
pub mod secrets;
pub mod store;
