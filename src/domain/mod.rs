//! The words and rules of the field, pure: no database, no HTTP, no clock, no environment.

pub mod amount;
pub mod audit;
pub mod counter;
pub mod country;
pub mod custom_field;
pub mod customer;
pub mod date;
pub mod deal;
pub mod email;
pub mod fault;
pub mod history;
pub mod idempotency;
pub mod identity;
pub mod network;
pub mod note;
pub mod passport;
pub mod path_id;
pub mod permit;
pub mod phone;
pub mod rate;
pub mod slug;
pub mod sms;
pub mod suggest;
pub mod template;
pub mod text;
pub mod ticket;
