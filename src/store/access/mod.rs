//! Who may call: sessions, API keys, and the sign-ins that failed.

pub mod api_keys;
pub mod sessions;
pub mod sign_in_failures;
