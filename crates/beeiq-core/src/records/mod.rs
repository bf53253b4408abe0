//! The records, one shape each.

pub mod activity;
pub mod audit;
pub mod connection;
pub mod counter;
pub mod customer;
pub mod deal;
pub mod delivery;
pub mod history;
pub mod identity;
pub mod known_by;
pub mod message;
pub mod model;
pub mod note;
pub mod outgoing;
pub mod path_id;
pub mod permit;
pub mod ticket;
pub mod token;
pub mod user;
