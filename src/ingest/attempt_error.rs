//! What an attempt to apply a delivery can end in besides an answer.

use super::capacity::Overloaded;
use crate::problem::Problem;
use crate::store::error::{DbError, StoreError};
use crate::store::idempotency::FirstAnswer;

pub(crate) enum AttemptError {
    /// The settings have changed since the directory was read.
    Stale,
    /// The listener does not take it, as the settings now are, or there is no room for it.
    Refused(Problem),
    /// The whole request cannot be used; to be kept as such.
    Rejected(Problem),
    /// The same request has been answered before.
    Repeated(FirstAnswer),
    /// Its turn has not come, or has been taken by another process.
    NotDue,
    /// Those that it shared a transaction with could not be applied together: to be tried by itself.
    Ungrouped,
    Store(StoreError),
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for AttemptError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<Overloaded> for AttemptError {
    fn from(why: Overloaded) -> Self {
        Self::Refused(why.into())
    }
}

impl From<AttemptError> for Problem {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Refused(problem) | AttemptError::Rejected(problem) => problem,
            AttemptError::Store(error) => error.into(),
            AttemptError::Stale
            | AttemptError::Repeated(_)
            | AttemptError::NotDue
            | AttemptError::Ungrouped => StoreError::Conflict.into(),
        }
    }
}
