//! The way of a delivery: received, parsed, loaded, decided, written, answered (`design.md`).

mod answer;
mod batch;
mod codes;
mod deliver;
mod envelope;
mod received;

pub use codes::CodeAllocator;
pub use deliver::{Pipeline, Reply};
pub use envelope::Limits;
pub use received::{Options, Received};
