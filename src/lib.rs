//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod http;
pub mod schema;
pub mod secrets;
