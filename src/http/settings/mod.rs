//! What an org's owner and admins set up (`api.md` 4), a file per resource: its paths, and how it is
//! described. What it does is in `service::settings`.

mod accounts;
mod api_keys;
mod audit_log;
mod connections;
mod currencies;
mod custom_fields;
mod email;
mod groups;
pub(super) mod listeners;
pub(super) mod names;
mod operations;
mod org;
pub(super) mod resource;
mod runs;
mod sms;
mod users;

use super::routes::Operation;

/// Beside those of [`names`].
pub(super) const ROUTES: &[&[Operation]] = &[
    listeners::ROUTES,
    listeners::preview::ROUTES,
    connections::ROUTES,
    users::ROUTES,
    groups::ROUTES,
    currencies::ROUTES,
    custom_fields::ROUTES,
    org::ROUTES,
    runs::ROUTES,
    audit_log::ROUTES,
    api_keys::ROUTES,
    email::ROUTES,
    sms::ROUTES,
];
