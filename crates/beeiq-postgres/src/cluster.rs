//! Starting and stopping a cluster.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_types};

use super::account::Account;
use super::directory::{self, Data, Directory};
use super::error::{EmbeddedError, READY_WITHIN, at};
use super::postmaster::{Postmaster, clear_orphan, wait_until};
use super::programs::{self, Programs};

/// The cluster's superuser.
const ROLE: &str = "beeiq";

#[derive(Clone, Debug)]
pub struct Options {
    /// The directory for its files. Made if missing; a second start finds the data of the first.
    pub dir: PathBuf,
    /// Whether what was committed survives a crash of the machine (`fsync`, `synchronous_commit`,
    /// `full_page_writes`). Tests need that not, and are ten times faster without.
    pub durable: bool,
    pub max_connections: u16,
    /// Further settings, by their names in `postgresql.conf`.
    pub extra: Vec<(String, String)>,
    /// The value of `PG_BINDIR`: where `initdb` and `postgres` are. Nowhere else is looked then.
    pub bindir: Option<PathBuf>,
    /// The value of `PATH`, which is looked through first.
    pub path: Option<OsString>,
}

/// A running private cluster. It is stopped when this is dropped, and when this program dies
/// (by `SIGKILL` too, on Linux).
#[derive(Debug)]
pub struct Cluster {
    // In this order they are dropped: the server first, the locks last.
    postmaster: Postmaster,
    socket: PathBuf,
    data: Data,
    _directory: Directory,
}

impl Cluster {
    /// Starts the cluster of `options.dir`, makes it first if there is none, and returns when it
    /// takes connections. Blocks for about a second the first time.
    ///
    /// As root the server runs as the user `postgres` or `nobody`; where that user cannot get into
    /// the directory, the data goes to `/var/lib/beeiq` and `DIR/pg` links to it.
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        let directory = Directory::open(&options.dir)?;
        let existing = directory.data()?;
        let wanted = existing.as_ref().map(|data| data.major);
        let programs = programs::find(options.bindir.as_deref(), options.path.as_deref(), wanted)?;
        let (account, data) = match existing {
            Some(data) => (Account::choose(Some((&data.path, &data.metadata()?)))?, data),
            None => {
                let account = Account::choose(None)?;
                let initdb = |dir: &Path| initdb(dir, account, &programs, options.durable);
                (account, directory.make_data(account, &programs, initdb)?)
            }
        };
        clear_orphan(&data.path)?;
        let socket = directory.make_socket_dir(account)?;
        let log = directory.log();
        let spawn = || spawn(options, account, &programs, &data.path, &socket, &log);
        let postmaster = start_and_wait(spawn, &url(&socket, "postgres"), &log);
        let postmaster = postmaster.inspect_err(|_| discard(&socket))?;
        Ok(Self { postmaster, socket, data, _directory: directory })
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
    if let Err(error) = directory::remove_dir_if_there(socket) {
        tracing::debug!(%error, "a socket directory is left");
    }
}

/// Removes the cluster of `dir` with its data, and stops its server if that was left running. Other
/// files in `dir` stay. Does nothing when there is no such directory.
pub fn remove(dir: &Path) -> Result<(), EmbeddedError> {
    if !dir.exists() {
        return Ok(());
    }
    let directory = Directory::open(dir)?;
    let data = directory.data()?;
    if let Some(data) = &data {
        clear_orphan(&data.path)?;
    }
    directory.remove(data)
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
