//! What runs beside requests: sending, applying what was deferred, forgetting.

pub mod outbox;
pub mod retention;
