//! The words and rules of the field, pure: no database, no HTTP, no clock, no environment.

pub mod amount;
pub mod counter;
pub mod country;
pub mod custom_field;
pub mod customer;
pub mod date;
pub mod deal;
pub mod email;
pub mod fault;
pub mod identity;
pub mod passport;
pub mod permit;
pub mod phone;
pub mod slug;
pub mod sms;
pub mod suggest;
pub mod template;
pub mod text;
