//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod http;
#[expect(missing_docs, reason = "diesel generates it")]
pub mod schema;
pub mod secrets;
pub mod store;
pub mod telemetry;
