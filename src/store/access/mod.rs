//! Who may call: sessions, API keys, and the sign-ins that failed.

pub(crate) mod api_keys;
pub mod sessions;
pub(crate) mod sign_in_failures;
