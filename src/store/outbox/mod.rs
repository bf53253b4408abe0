//! The outbox: what waits is claimed, sent outside any transaction, and finished (`listener.md` 8).
//!
//! A claim is a lease: the row says which claim it is and, as `next_attempt_at`, until when. What
//! ends an attempt names the claim, so a process that was given up for dead changes nothing any more.
//! All times are the database's: the clocks of processes differ.

mod claims;
mod content;
mod finish;
mod people;
mod reading;

pub(crate) use claims::{Claimed, Outgoing, Queue, claim, due_queues, hand_back, renew};
pub(crate) use content::content;
pub(crate) use finish::{Attempt, finish};
pub(crate) use people::{Decision, cancel, clear_pause, retry};
pub(crate) use reading::{AttemptRow, Filters, Message, attempts, find, list};
