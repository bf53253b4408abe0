//! The pure part of BeeIQ: from bytes to actions, and from actions to changes. It does no I/O, asks no
//! clock and draws no randomness; what it has to know comes in as arguments.

#![warn(missing_docs)]

pub mod actions;
pub mod batch;
pub mod diagnostics;
pub mod directory;
pub mod formats;
pub mod json;
pub mod records;
pub mod schema;
pub mod values;
