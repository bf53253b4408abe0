//! What people do, whoever asks: HTTP, the command line, the demo. One function, one transaction,
//! one line of the audit log.

pub(crate) mod audit;
pub(crate) mod message_accounts;
pub(crate) mod metrics;
pub mod orgs;
pub(crate) mod passwords;
pub(crate) mod pulls;
pub mod rekey;
pub mod sessions;
pub mod settings;
pub(crate) mod validity;
