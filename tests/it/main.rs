//! The one test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "the whole crate is tests, and clippy exempts only the functions marked #[test]"
)]

mod add_contact;
mod cli;
mod embedded;
mod listener_changes;
mod listeners;
mod openapi;
mod records;
mod records_http;
mod sign_in;
mod support;
mod tenancy;
