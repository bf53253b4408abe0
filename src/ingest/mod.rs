//! A delivery's way, a file a stage (`docs/architecture.md`): admitted, read, loaded and decided,
//! written, answered.

mod admission;
mod admit;
mod answer;
mod apply;
mod attempt_error;
mod attempts;
mod batch;
mod capacity;
mod codes;
mod deferred;
mod deliver;
mod group_commit;
mod group_queue;
mod heard;
mod idempotency;
mod intake;
mod job;
mod pipeline;
mod progress;
mod quotas;
pub(crate) mod rate;
mod received;
pub(crate) mod redaction;
mod replay;
mod reply;

pub use answer::Answer;
pub use capacity::{Capacity, Overloaded, Permit};
pub(crate) use deferred::{Applied, DeferredJob};
pub(crate) use deliver::{Answered, Arrival};
pub(crate) use heard::{Event, Pulled};
pub(crate) use job::Cursor;
pub use pipeline::Pipeline;
pub(crate) use pipeline::{Bounds, Messages};
pub use progress::Only;
pub(crate) use reply::Reply;
