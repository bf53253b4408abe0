//! What an org's owner and admins set up (`api.md` 4), a file per resource.

pub mod accounts;
pub mod email;
pub mod listeners;
pub mod sms;
