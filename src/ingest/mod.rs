//! A delivery's way, a file a stage (`docs/architecture.md`): admitted, read, loaded and decided,
//! written, answered.

mod admit;
mod answer;
mod apply;
mod attempts;
mod batch;
mod codes;
mod deliver;
mod group_commit;
mod idempotency;
mod in_flight;
mod intake;
mod job;
mod later;
mod quotas;
pub(crate) mod rate;
mod received;
pub(crate) mod redaction;
mod replay;

pub use answer::Answer;
pub use deliver::Pipeline;
pub(crate) use deliver::{Answered, Arrival, Bounds, Messages, Reply};
pub use in_flight::{InFlightLimits, Overloaded, Permit};
pub use later::LaterWorkers;
pub use replay::Only;
