//! What a unit of database work can end in, and which problem that is.

use super::constraints::Constraint;
use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
pub use diesel::result::Error as DbError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// What database work ends in.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What a unit of database work can end in besides its result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was faster; worth doing again from the start.
    #[error("another transaction was faster")]
    Conflict,
    /// The database cannot be reached or gave up under load; nothing was applied.
    #[error("the database is away: {0}")]
    Unavailable(String),
    /// The answer of a COMMIT was lost: whether it arrived is not known.
    #[error("whether it was committed is not known")]
    OutcomeUnknown {
        /// The process that was to commit, at the server.
        backend: Option<i32>,
    },
    /// A unique constraint refused a value.
    #[error("a value is taken ({0})")]
    Taken(Constraint),
    /// A foreign key refused: what is named is gone, or what is deleted is in use.
    #[error("a reference does not hold ({0})")]
    Reference(Constraint),
    /// The database refused for a reason that no check foresaw.
    #[error("the database refused: {0}")]
    Refused(DbError),
}

impl StoreError {
    /// For a stored value that the program wrote itself and cannot read any more.
    pub(crate) fn unreadable(error: &dyn std::fmt::Display) -> Self {
        Self::Refused(DbError::DeserializationError(error.to_string().into()))
    }

    /// Whether a statement took longer than it may.
    pub(crate) fn is_statement_timeout(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.contains(STATEMENT_TIMEOUT))
    }
}

/// Whose fault it is that work could not be done, as far as its error tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The same work will do once the database is well.
    Environment,
    /// The work may be too much for the database, or the database not well.
    Unclear,
    /// The database is well, and refuses this.
    Work,
}

impl StoreError {
    pub(crate) fn blame(&self) -> Blame {
        match self {
            Self::Unavailable(cause) if too_much(cause) => Blame::Unclear,
            Self::Conflict | Self::Unavailable(_) | Self::OutcomeUnknown { .. } => {
                Blame::Environment
            }
            Self::Taken(_) | Self::Reference(_) | Self::Refused(_) => Blame::Work,
        }
    }
}

/// Whether work may have asked more of the database than that gives, or crashed it.
fn too_much(cause: &str) -> bool {
    [STATEMENT_TIMEOUT, "out of memory", "out of shared memory", "server closed the connection"]
        .iter()
        .any(|known| cause.contains(known))
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        if let Some(backend) = lost_commit(&error) {
            return Self::OutcomeUnknown { backend };
        }
        match error {
            DbError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Taken(constraint(&*info)),
                DatabaseErrorKind::ForeignKeyViolation => Self::Reference(constraint(&*info)),
                DatabaseErrorKind::SerializationFailure => Self::Conflict,
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction => {
                    Self::Unavailable(info.message().to_owned())
                }
                _ if is_deadlock(info.message()) => Self::Conflict,
                _ if is_away(info.message()) => Self::Unavailable(info.message().to_owned()),
                _ => Self::Refused(DbError::DatabaseError(kind, info)),
            },
            DbError::BrokenTransactionManager => {
                Self::Unavailable("the connection broke within a transaction".to_owned())
            }
            other => Self::Refused(other),
        }
    }
}

/// Stands for a COMMIT whose answer was lost, followed by the process that was to commit.
const COMMIT_LOST: &str = "the answer of a COMMIT was lost; process ";

/// The error of a COMMIT: where the connection broke, whether it arrived is not known.
pub(super) fn commit_error(error: DbError, backend: Option<i32>) -> DbError {
    if !breaks_off(&error) {
        return error;
    }
    tracing::warn!(cause = %error, "the answer of a COMMIT was lost");
    let message = format!("{COMMIT_LOST}{}", backend.unwrap_or_default());
    DbError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message))
}

/// Whether the connection broke, or Postgres gave up: then an ERROR says nothing of the commit.
fn breaks_off(error: &DbError) -> bool {
    match error {
        DbError::DatabaseError(kind, info) => {
            matches!(
                kind,
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand
            ) || is_away(info.message())
        }
        other => matches!(other, DbError::BrokenTransactionManager),
    }
}

fn lost_commit(error: &DbError) -> Option<Option<i32>> {
    let DbError::DatabaseError(_, info) = error else { return None };
    let backend = info.message().strip_prefix(COMMIT_LOST)?;
    Some(backend.parse().ok().filter(|backend| *backend != 0))
}

fn constraint(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> Constraint {
    Constraint(info.constraint_name().unwrap_or_default().to_owned())
}

/// diesel does not hand out the SQLSTATE of 40P01, 55P03 and 57014, so their fixed English messages
/// have to do; every connection asks for them in English (`pool.rs`).
fn is_deadlock(message: &str) -> bool {
    message == "deadlock detected" || message == "canceling statement due to lock timeout"
}

/// What Postgres says of 57014.
const STATEMENT_TIMEOUT: &str = "canceling statement due to statement timeout";

/// A server that goes down or comes up says so in these words (57P01–57P03, 53300), one that lacks
/// disk or memory in those (53100, 53200, XX000): what is refused for that may be taken later.
fn is_away(message: &str) -> bool {
    [
        "could not extend file",
        "could not write",
        "could not fsync",
        "could not open file",
        "could not create file",
        "No space left on device",
        "Input/output error",
        "Too many open files",
        "Disk quota exceeded",
        "out of memory",
        "out of shared memory",
        "terminating connection",
        "the database system is",
        "server closed the connection",
        "sorry, too many clients",
        "remaining connection slots are reserved",
        STATEMENT_TIMEOUT,
    ]
    .iter()
    .any(|known| message.contains(known))
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<StoreError> for Problem {
    /// For places where no case is expected: the cause is logged here, once, and not sent.
    fn from(error: StoreError) -> Self {
        match error {
            slow if slow.is_statement_timeout() => {
                tracing::warn!("a statement took longer than it may");
                let detail = "This took longer than it may, and was given up; nothing was applied. \
                              Ask for less, as with a filter, or try again.";
                Self::new(Code::Unavailable, detail).retry_after(2)
            }
            StoreError::Unavailable(cause) => {
                tracing::error!(cause, "the database is away");
                Self::new(
                    Code::Unavailable,
                    "The database is away; nothing was applied. Try again.",
                )
                .retry_after(2)
            }
            StoreError::Conflict => {
                tracing::warn!("gave up on a conflict");
                Self::new(
                    Code::Unavailable,
                    "Others were faster each time; nothing was applied. Try again.",
                )
                .retry_after(1)
            }
            StoreError::OutcomeUnknown { backend: _ } => Self::new(
                Code::OutcomeUnknown,
                "The database was lost while it committed: whether this was applied is not known. \
                 `GET /deliveries/{requestId}` tells it once the database is back, and so does the \
                 same request with its `Idempotency-Key`. Repeated without a key, it may be applied \
                 twice.",
            )
            .retry_after(2),
            unexpected => {
                tracing::error!(cause = %unexpected, "the database refused what no check foresaw");
                Self::new(
                    Code::Internal,
                    "Something went wrong on our side; it has been logged under this requestId.",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was taken for later would be rejected for good, and a batch be answered action by action
    /// with faults that nobody can mend.
    #[test]
    fn a_disk_that_is_full_is_worth_another_try() {
        for message in [
            "could not extend file \"base/16384/16660\": No space left on device",
            "could not extend file \"base/16384/16660\": wrote only 4096 of 8192 bytes at block 7",
            "could not write to file \"base/pgsql_tmp/pgsql_tmp1.0\": No space left on device",
            "could not fsync file \"base/16384/16660\": Input/output error",
            "could not open file \"base/16384/16660\": Too many open files",
        ] {
            let full =
                DbError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
            let full = StoreError::from(full);
            assert!(matches!(full, StoreError::Unavailable(_)), "{message}");
            assert_eq!(full.blame(), Blame::Environment, "{message}");
        }
    }

    /// One that is too long for a statement's time would block its queue for ever; but a database
    /// that is slow as a whole makes all too long.
    #[test]
    fn whose_fault_a_time_out_is_cannot_be_told_from_it() {
        for (error, blame) in [
            (StoreError::Unavailable(STATEMENT_TIMEOUT.to_owned()), Blame::Unclear),
            (
                StoreError::Unavailable("timed out waiting for connection".to_owned()),
                Blame::Environment,
            ),
            (StoreError::Conflict, Blame::Environment),
            (StoreError::Refused(DbError::NotFound), Blame::Work),
        ] {
            assert_eq!(error.blame(), blame, "{error}");
        }
    }
}
