//! The words and rules of the field, pure: no database, no HTTP, no clock, no environment.

pub mod customer;
pub mod fault;
pub mod history;
