//! What every format reads.

use super::headers::Headers;
use chrono::{DateTime, Utc};

/// What came in.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The headers that are kept of its request.
    pub headers: &'a Headers,
    /// When it came.
    pub at: DateTime<Utc>,
}
