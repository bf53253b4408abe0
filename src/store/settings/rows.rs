//! Which rows of a list of settings are asked for.

use uuid::Uuid;

/// One row, or a page of them, newest first: ids are time-ordered.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// The one with this id.
    pub id: Option<Uuid>,
    /// Those older than this one.
    pub before: Option<Uuid>,
    /// The most.
    pub limit: i64,
}

impl Rows {
    /// The one with that id.
    #[must_use]
    pub const fn one(id: Uuid) -> Self {
        Self { id: Some(id), before: None, limit: 1 }
    }

    /// So many older than `before`.
    #[must_use]
    pub const fn page(before: Option<Uuid>, limit: i64) -> Self {
        Self { id: None, before, limit }
    }
}
