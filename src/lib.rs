//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod clock;
pub mod db;
pub mod domain;
pub mod error;
pub mod http;
