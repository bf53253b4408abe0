//! The edge where time, ids and randomness come from; everywhere else they are arguments.

use chrono::{DateTime, SubsecRound, Utc};
use std::time::Instant;
use uuid::Uuid;

/// The present, to the microsecond, as Postgres keeps it.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the clock")]
pub fn instant() -> Instant {
    Instant::now()
}

/// A new id: UUID v7, ascending within this process.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// `N` bytes from the system's random source.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks for randomness")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    rand::random()
}
