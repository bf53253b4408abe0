//! What an org's owner and admins set up (`api.md` 4), a file per resource.
//!
//! Listeners have a way of their own; the other resources are alike: what they have in common is in
//! `resource` and `operations`, what is a resource's own in its file.

pub mod accounts;
pub mod api_keys;
pub mod audit_log;
pub mod currencies;
pub mod custom_fields;
pub mod email;
pub mod groups;
pub mod listeners;
mod members;
mod operations;
pub mod org;
pub mod picklists;
pub(crate) mod resource;
pub mod slas;
pub mod sms;
pub mod tags;
pub mod users;
