//! From bytes to values: JSON with places for its errors, and objects read field by field so that
//! every fault of an action is found, not the first (`listener.md` 1).

mod fields;
mod meter;
mod parse;
mod scan;

pub use fields::{Fields, Given, Longest, Mode};
pub use meter::Meter;
pub use parse::{Malformed, parse};
