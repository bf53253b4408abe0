//! What an org's owner and admins set up (`api.md` 4), a file per resource: its paths, and how it is
//! described. What it does is in `service::settings`.

mod accounts;
pub(crate) mod api_keys;
pub(crate) mod audit_log;
pub(crate) mod currencies;
pub(crate) mod custom_fields;
pub(crate) mod email;
pub(crate) mod groups;
pub(crate) mod listeners;
mod names;
mod operations;
pub(crate) mod org;
pub(crate) mod resource;
pub(crate) mod sms;
pub(crate) mod users;

pub(crate) use names::{slas, tags};

/// The lists that an org chooses from.
pub(crate) mod picklists {
    pub(crate) use super::names::{channels, deal_categories, deal_packages, deal_stages, sources};
}
