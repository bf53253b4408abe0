//! Values as senders write them: parsed once, compared and kept in one form.

pub mod amount;
pub mod country;
pub mod custom_field;
pub mod date;
pub mod email;
pub mod idempotency;
pub mod masking;
pub mod network;
pub mod passport;
pub mod phone;
pub mod request_template;
pub mod retry_schedule;
pub mod search;
pub mod slug;
pub mod sms;
pub mod suggest;
pub mod template;
pub mod text;
pub mod words;
