//! The words and rules of the field, pure: no database, no HTTP, no clock, no environment.

pub mod customer;
pub mod email;
pub mod fault;
pub mod history;
pub mod passport;
pub mod suggest;
pub mod text;
