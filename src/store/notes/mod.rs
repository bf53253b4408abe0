//! Notes on customers and deals.

mod read;
pub(super) mod write;

pub use read::*;
