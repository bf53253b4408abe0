//! What runs beside requests: sending, applying what was deferred, forgetting.

pub mod deferred;
mod in_flight;
pub mod outbox;
pub mod pulls;
pub(crate) mod queue;
pub mod retention;

pub use queue::{Wake, Workers};
