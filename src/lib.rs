//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod access;
pub mod actor;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod directory;
pub mod http;
pub mod ingest;
pub mod problem;
pub mod secrets;
pub mod send;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod worker;
