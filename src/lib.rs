//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod actions;
pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod directory;
pub mod domain;
pub mod embedded;
pub mod error;
pub mod http;
pub mod import;
pub mod listener;
pub mod metrics;
pub mod outbox;
pub mod payload;
pub mod provision;
pub mod request;
pub mod retention;
#[expect(missing_docs, reason = "diesel generates it")]
pub mod schema;
pub mod secrets;
pub mod senders;
pub mod store;
pub mod telemetry;
pub mod tls;
