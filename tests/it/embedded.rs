//! The private cluster: real ones, in temporary directories.

use std::{
    env, fs,
    fs::Permissions,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
};

use beeiq_postgres::{self, Cluster, EmbeddedError, Options};
use diesel::{
    Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, select, sql_types::Integer,
};
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::support::cluster::{Template, options};

/// Names the directory that `hold_a_cluster` is to hold.
const HOLD: &str = "BEEIQ_TEST_HOLD_CLUSTER";

/// A directory that PostgreSQL's user can get into.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

fn options_for(dir: &TempDir) -> Options {
    options(dir.path().join("cluster"))
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

fn run(url: &str, statements: &str) {
    connect(url).batch_execute(statements).unwrap();
}

/// The number that a query gives, as `(SELECT …)`.
fn number(url: &str, query: &str) -> i32 {
    select(diesel::dsl::sql::<Integer>(query)).first(&mut connect(url)).unwrap()
}

/// The server's process id, from its own file.
fn server_of(data: &Path) -> u32 {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// The processes that work in a data directory.
fn processes_in(data: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(|path| fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == data)).collect()
}

#[test]
fn a_cluster_starts_answers_and_leaves_no_process_when_stopped() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    let data = cluster.data_dir().to_owned();
    assert_eq!(number(&cluster.url("postgres"), "1"), 1);
    assert!(!processes_in(&data).is_empty());
    let server = format!("/proc/{}", server_of(&data));
    assert_ne!(fs::metadata(server).unwrap().uid(), 0, "the server runs as root");

    cluster.stop().unwrap();
    assert_eq!(processes_in(&data), Vec::<PathBuf>::new());
    assert!(!data.join("postmaster.pid").exists(), "it did not shut down in order");
}

/// Without this `beeiq demo` would forget what was entered in it.
#[test]
fn a_cluster_that_is_started_again_finds_its_data() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    cluster.create_database_if_missing("beeiq").unwrap();
    run(&cluster.url("beeiq"), "CREATE TABLE kept AS SELECT 42 AS answer");
    drop(cluster);

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    cluster.create_database_if_missing("beeiq").unwrap();
    assert_eq!(number(&cluster.url("beeiq"), "(SELECT answer FROM kept)"), 42);
}

#[test]
fn a_second_start_on_a_directory_is_refused_while_the_first_runs() {
    let dir = directory();
    let first = Cluster::start(&options_for(&dir)).unwrap();
    let refused = Cluster::start(&options_for(&dir)).unwrap_err();
    assert!(matches!(refused, EmbeddedError::Locked(_)), "{refused}");
    assert_eq!(number(&first.url("postgres"), "1"), 1, "the first was disturbed");
}

/// A database whose letters were ASCII alone would not see that two Vietnamese names are the same.
#[test]
fn the_cluster_folds_the_case_of_vietnamese_letters() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_eq!(number(&cluster.url("postgres"), "(lower('ĐẶNG') = 'đặng')::int"), 1);
}

#[test]
fn a_setting_that_the_server_refuses_is_told_in_its_own_words() {
    let dir = directory();
    let extra = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let refused = Cluster::start(&Options { extra, ..options_for(&dir) }).unwrap_err();
    assert!(matches!(refused, EmbeddedError::Ended { .. }), "{refused}");
    assert!(refused.to_string().contains("no_such_setting"), "{refused}");
}

#[test]
fn a_cluster_starts_again_after_its_server_was_killed() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    let server = nix::unistd::Pid::from_raw(server_of(cluster.data_dir()).cast_signed());
    nix::sys::signal::kill(server, nix::sys::signal::Signal::SIGKILL).unwrap();
    drop(cluster);

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_eq!(number(&cluster.url("postgres"), "1"), 1);
}

/// After a restart of the machine the server's number may be another program's, which must live.
#[test]
fn a_pid_file_that_names_another_program_is_stale() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    let data = cluster.data_dir().to_owned();
    cluster.stop().unwrap();
    let lines = format!("{}\n{}\n1700000000\n5432\n", process::id(), data.display());
    fs::write(data.join("postmaster.pid"), lines).unwrap();

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_eq!(number(&cluster.url("postgres"), "1"), 1);
}

#[test]
fn a_server_that_was_left_running_is_stopped_at_the_next_start() {
    let dir = directory();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    let data = cluster.data_dir().to_owned();
    let program = fs::read_link(format!("/proc/{}/exe", server_of(&data))).unwrap();
    cluster.stop().unwrap();

    let mut command = Command::new(program);
    command.arg("-D").arg(&data).args(["-c", "listen_addresses="]);
    command.arg("-c").arg(format!("unix_socket_directories={}", data.display()));
    if geteuid().is_root() {
        let owner = fs::metadata(&data).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan = command.current_dir(&data).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(orphan.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.contains("ready to accept connections")));

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_ne!(server_of(cluster.data_dir()), orphan.id());
    assert!(orphan.try_wait().unwrap().is_some());
    assert_eq!(number(&cluster.url("postgres"), "1"), 1);
}

/// Not a test, but the program that the next one kills.
#[test]
#[ignore = "run by the test of a killed program"]
fn hold_a_cluster() {
    let Some(dir) = env::var_os(HOLD) else { return };
    let cluster = Cluster::start(&options(PathBuf::from(dir))).unwrap();
    run(&cluster.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer");
    println!("{HOLD}={}", server_of(cluster.data_dir()));
    loop {
        thread::park();
    }
}

#[test]
fn a_killed_program_takes_its_server_down_and_the_next_finds_the_data() {
    let dir = directory();
    let mut program = Command::new(env::current_exe().unwrap())
        .args(["--exact", "embedded::hold_a_cluster", "--ignored", "--nocapture"])
        .env(HOLD, &options_for(&dir).dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    let server = said.find_map(|line| Some(line.split_once(&format!("{HOLD}="))?.1.to_owned()));
    let server = PathBuf::from("/proc").join(server.expect("the program holds the cluster"));
    program.kill().unwrap();
    program.wait().unwrap();

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_eq!(number(&cluster.url("postgres"), "(SELECT answer FROM kept)"), 42);
    assert!(!processes_in(cluster.data_dir()).contains(&server), "the old server still runs");
}

/// A clone under /root is mode 0700, and `beeiq demo` run there has to work too.
#[test]
fn root_keeps_the_data_of_an_unreachable_directory_elsewhere() {
    if !geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    let data = cluster.data_dir().to_owned();
    assert!(data.starts_with("/var/lib/beeiq"), "{}", data.display());
    run(&cluster.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer");
    drop(cluster);

    let cluster = Cluster::start(&options_for(&dir)).unwrap();
    assert_eq!(number(&cluster.url("postgres"), "(SELECT answer FROM kept)"), 42);
    drop(cluster);
    beeiq_postgres::remove(&options_for(&dir).dir).unwrap();
    assert!(!data.exists());
    assert!(!options_for(&dir).dir.exists());
}

#[test]
fn each_test_gets_its_own_copy_of_a_template() {
    static TEMPLATE: Template = Template::new("embedded_template", |url| {
        run(url, "CREATE TABLE template_table AS SELECT 1 AS one");
    });
    let (first, second) = (TEMPLATE.database(), TEMPLATE.database());
    run(&first.url, "INSERT INTO template_table VALUES (2)");
    let rows = "(SELECT count(*)::int FROM template_table)";
    assert_eq!((number(&first.url, rows), number(&second.url, rows)), (2, 1));

    let gone = first.url.clone();
    drop(first);
    assert!(PgConnection::establish(&gone).is_err(), "a test's database was not dropped");
}
