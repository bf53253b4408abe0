//! What an org sets up, a file per table; those that are little more than a name are in `names`.

pub(crate) mod connections;
pub(crate) mod currencies;
pub(crate) mod custom_fields;
pub(crate) mod groups;
pub(crate) mod listeners;
pub(crate) mod message_accounts;
pub(crate) mod names;
pub(crate) mod picklists;
pub(crate) mod references;
mod statements;
pub mod users;

pub(crate) use statements::{NamedTable, newest, statements};
pub use statements::{Row, Rows};
