//! What an org sets up.

pub mod currencies;
pub mod custom_fields;
pub mod groups;
pub mod listeners;
pub mod message_accounts;
pub mod picklists;
pub mod rows;
pub mod slas;
pub mod tags;
pub mod usage;
pub mod users;
pub mod vocabulary;
