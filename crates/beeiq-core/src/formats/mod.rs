//! The formats in which deliveries come, a file each: from bytes to actions, or why not.

pub mod beeiq;
