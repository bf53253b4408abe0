//! What an org's owner and admins set up (`api.md` 4), a file per resource.
//!
//! Listeners have a way of their own; the other resources are alike, and have it in common in
//! `resource`: what is their own is in their files.

pub mod audit_log;
pub mod currencies;
pub mod custom_fields;
pub mod groups;
pub mod listeners;
mod members;
pub mod org;
pub mod picklists;
mod resource;
pub mod slas;
pub mod tags;
pub mod users;
mod validity;
