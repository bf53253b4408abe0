//! One private cluster for the whole test process, and a database of its own for each test.
//!
//! The cluster is in `beeiq-test-<pid>` in the folder for temporary files. It is removed when the
//! process ends; what a killed one left, the next process removes.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use beeiq_postgres::{self, Cluster, Options};
use diesel::{Connection, PgConnection, RunQueryDsl};
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};

const PREFIX: &str = "beeiq-test-";

/// The cluster, once a test has asked for it.
static CLUSTER: Mutex<Option<Cluster>> = Mutex::new(None);

/// Starts the cluster, and has it removed at the end of the process: statics are never dropped.
fn start() -> Cluster {
    sweep();
    fs::create_dir(directory()).unwrap();
    // PostgreSQL's user has to get into it when the tests run as root.
    fs::set_permissions(directory(), fs::Permissions::from_mode(0o755)).unwrap();
    let settings = [("autovacuum", "off"), ("max_wal_senders", "0"), ("wal_level", "minimal")];
    let cluster = Cluster::start(&Options {
        max_connections: 400,
        extra: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..options(directory())
    })
    .expect("the test cluster starts");
    // SAFETY: the function is a plain one that lives as long as the process, and does not panic.
    unsafe { libc::atexit(remove_at_exit) };
    cluster
}

extern "C" fn remove_at_exit() {
    if let Ok(mut cluster) = CLUSTER.lock() {
        drop(cluster.take());
        // What cannot be removed now, the next process sweeps.
        let _ = beeiq_postgres::remove(&directory());
    }
}

fn directory() -> PathBuf {
    env::temp_dir().join(format!("{PREFIX}{}", process::id()))
}

/// A small cluster in `dir`, with the programs that the environment names.
pub(crate) fn options(dir: PathBuf) -> Options {
    Options {
        dir,
        durable: false,
        max_connections: 20,
        extra: Vec::new(),
        bindir: env::var_os("PG_BINDIR").map(PathBuf::from),
        path: env::var_os("PATH"),
    }
}

/// Removes the clusters of test processes that have ended.
fn sweep() {
    for entry in fs::read_dir(env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        let Some(pid) = pid else { continue };
        let ended = kill(Pid::from_raw(pid.cast_signed()), None) == Err(Errno::ESRCH);
        // One with our own number is of an earlier process. Another test process may sweep it too,
        // or it may be another user's: then it is left to them.
        if (ended || pid == process::id()) && beeiq_postgres::remove(&entry.path()).is_err() {
            continue;
        }
    }
}

/// The URL of a database in the cluster.
pub(crate) fn url(database: &str) -> String {
    CLUSTER.lock().unwrap().get_or_insert_with(start).url(database)
}

/// The same for another role than the cluster's superuser.
pub(crate) fn url_as(role: &str, database: &str) -> String {
    let url = url(database);
    let host = url.split_once('@').unwrap().1;
    format!("postgres://{role}@{host}")
}

/// Runs a statement outside the databases of the tests.
pub(crate) fn admin(statement: &str) {
    let mut connection = PgConnection::establish(&url("postgres")).unwrap();
    let done = diesel::sql_query(statement).execute(&mut connection);
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Drops a database, and breaks off its sessions.
pub(crate) fn drop_database(name: &str) {
    admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
}

/// Lets nobody into a database, and breaks its sessions off.
pub(crate) fn lock_out(name: &str) {
    admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    admin(&format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    ));
}

/// Lets people in again.
pub(crate) fn let_in(name: &str) {
    admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
}

/// A database that is made once in a process, and then copied for each test.
pub(crate) struct Template {
    name: &'static str,
    migrate: fn(&str),
    made: OnceLock<()>,
}

impl Template {
    /// A template of this name; `migrate` fills the database of the URL, and closes its connections.
    pub(crate) const fn new(name: &'static str, migrate: fn(&str)) -> Self {
        Self { name, migrate, made: OnceLock::new() }
    }

    /// Fills a database elsewhere as the template is.
    pub(crate) fn fill(&self, url: &str) {
        (self.migrate)(url);
    }

    /// A new copy of it.
    pub(crate) fn database(&self) -> TestDatabase {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let template = self.name;
        self.made.get_or_init(|| {
            drop_database(template);
            admin(&format!("CREATE DATABASE {template}"));
            (self.migrate)(&url(template));
        });
        let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        admin(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"));
        TestDatabase { url: url(&name), name }
    }
}

/// A database of one test, dropped at its end.
pub(crate) struct TestDatabase {
    /// Its URL, for libpq.
    pub(crate) url: String,
    /// Its name in the cluster.
    pub(crate) name: String,
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        drop_database(&self.name);
    }
}
