//! The one test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::needless_pass_by_value,
    reason = "the whole crate is tests, and clippy exempts only the functions marked #[test]"
)]

mod add_contact;
mod all_actions;
mod any_body;
mod cli;
mod deals;
mod demo;
mod embedded;
mod idempotency;
mod import;
mod listener_changes;
mod listeners;
mod logs;
mod metrics;
mod notes;
mod openapi;
mod operations;
mod races;
mod receiving;
mod records;
mod records_http;
mod send_sms;
mod sign_in;
mod support;
mod tenancy;
mod tickets;
mod updates;
