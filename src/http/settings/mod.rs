//! What an org's owner and admins set up (`api.md` 4), a file per resource.

pub mod api_keys;
pub mod listeners;
