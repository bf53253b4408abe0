//! BeeIQ: the ingestion backend of a multi-tenant CRM.

pub mod domain;
pub mod embedded;
