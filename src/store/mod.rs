//! All SQL: every function takes the connection and the org, inside that org's transaction.

pub mod customers;
pub mod history;
