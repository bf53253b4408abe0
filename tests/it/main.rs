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

mod activities;
mod add_contact;
mod all_actions;
mod any_body;
mod api_keys;
mod architecture;
mod audit_log;
mod bounds;
mod cli;
mod connections;
mod constraints;
mod currencies;
mod custom_fields;
mod deals;
mod deliveries;
mod demo;
mod email_settings;
mod embedded;
mod erasing;
mod idempotency;
mod import;
mod keys;
mod later;
mod ledger;
mod links;
mod listener_changes;
mod listeners;
mod logs;
mod matrix;
mod metrics;
mod notes;
mod oktium;
mod openapi;
mod operations;
mod outbox;
mod outbox_fairness;
mod outbox_http;
mod outbox_processes;
mod overload;
mod picklists;
mod preview;
mod pulling;
mod pulling_faults;
mod pulling_processes;
mod races;
mod rate_limits;
mod receiving;
mod records;
mod records_http;
mod replays;
mod retention;
mod row_security;
mod sandbox;
mod schemas;
mod search;
mod send_sms;
mod senders;
mod set_up;
mod settings;
mod sign_in;
mod sms_settings;
mod support;
mod tenancy;
mod tickets;
mod together;
mod updates;
mod users;
