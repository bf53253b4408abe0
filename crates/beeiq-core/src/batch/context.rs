//! What reading an action needs to know of the org.

use crate::diagnostics::References;
use crate::directory::{Directory, Listener};
use crate::records::connection::Connection;

/// The org and listener whose payload is read.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The org's names.
    pub directory: &'a Directory,
    /// The listener that took the request.
    pub listener: &'a Listener,
    /// The connection through which it came; none where it came to the listener itself.
    pub connection: Option<&'a Connection>,
}

impl Context<'_> {
    /// What becomes of names that the org does not have.
    pub const fn references(&self) -> References {
        References { skip: self.listener.skip_unknown_references }
    }
}
