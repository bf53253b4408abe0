//! What reading and changing a deal takes.

pub(crate) mod changes;
pub(crate) mod fields;
pub(crate) mod heard;
