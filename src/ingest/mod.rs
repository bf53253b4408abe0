//! The way of a delivery: admitted, received, parsed, loaded, decided, written, answered (`docs/architecture.md`).

mod admission;
mod answer;
mod apply;
mod batch;
mod capacity;
mod codes;
mod deferred;
mod deliver;
mod job;
pub mod rate;
mod rates;
mod received;
pub mod redaction;
mod replay;
mod retry;
mod together;

pub use admission::{Credentials, admit};
pub use answer::Answer;
pub use capacity::{Capacity, Holding, Overloaded, Sizes};
pub use codes::CodeAllocator;
pub(crate) use deferred::Applied;
pub use deliver::{Messages, Pipeline, Reply};
pub use rates::{OverRate, Rates};
pub use received::{Options, Received};
pub use replay::{Only, Replayable};
