//! The ledger: clients write down what they send and what is acknowledged, while servers and Postgres
//! are killed under them. What was acknowledged is there once, and nothing that was never sent.

use crate::support::cluster::options;
use crate::support::{Instance, Process, action, payload};
use beeiq_postgres::{Cluster, Options};
use diesel::prelude::*;
use diesel::sql_types::Text;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const CLIENTS: usize = 6;
const KILLS: usize = 50;
/// After so many kills Postgres is restarted.
const KILLS_A_RESTART: usize = 10;
/// How many deliveries have to be acknowledged before the next blow.
const BREATH: usize = 10;

/// What clients know.
#[derive(Default)]
struct Ledger {
    sent: Mutex<HashSet<String>>,
    acknowledged: Mutex<HashSet<String>>,
    count: AtomicUsize,
    closed: AtomicBool,
}

/// Two servers on a Postgres of their own.
struct House {
    postgres: Option<Cluster>,
    settings: Options,
    servers: [Option<Process>; 2],
    urls: Arc<Mutex<[String; 2]>>,
}

impl House {
    /// Kills a server on the spot, and starts another in its place.
    fn kill_server(&mut self, which: usize, instance: &Instance) {
        self.servers[which] = None;
        let server = Process::start(instance);
        self.urls.lock().unwrap()[which].clone_from(&server.url);
        self.servers[which] = Some(server);
    }

    /// Ends Postgres, as an administrator does or as a crash does, and starts it again.
    fn restart_postgres(&mut self, crash: bool) {
        let cluster = self.postgres.take().unwrap();
        if crash {
            let file = fs::read_to_string(cluster.data_dir().join("postmaster.pid")).unwrap();
            let pid = file.lines().next().unwrap().parse().unwrap();
            kill(Pid::from_raw(pid), Signal::SIGQUIT).unwrap();
        }
        drop(cluster);
        self.postgres = Some(Cluster::start(&self.settings).unwrap());
    }
}

/// Sends one delivery after the other, each until it is acknowledged or the ledger is closed. A
/// note added twice would tell a delivery that was applied twice.
async fn client(
    number: usize,
    ledger: Arc<Ledger>,
    urls: Arc<Mutex<[String; 2]>>,
    paths: [String; 2],
) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    for n in 0.. {
        let email = format!("c{number}-{n}@ledger.test");
        let body = payload(&[
            action("add-contact", json!({"name": "Huy", "emails": [{"value": email}]})),
            action("add-note", json!({"body": "x", "email": email})),
        ]);
        ledger.sent.lock().unwrap().insert(email.clone());
        for attempt in 0.. {
            if ledger.closed.load(Ordering::Relaxed) {
                return;
            }
            let server = urls.lock().unwrap()[(number + attempt) % 2].clone();
            let url = format!("{server}{}", paths[n % 2]);
            let request = http.post(url).header("idempotency-key", &email).json(&body);
            match request.send().await.map(|response| response.status().as_u16()) {
                Ok(200 | 202) => {
                    ledger.acknowledged.lock().unwrap().insert(email);
                    ledger.count.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                // Away for a moment, or the first try of this key is at work still.
                Ok(409 | 503) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                Ok(status) => panic!("{email}: {status}"),
            }
        }
    }
}

async fn take_breath(ledger: &Ledger) {
    let goal = ledger.count.load(Ordering::Relaxed) + BREATH;
    let breath = async {
        let mut look = tokio::time::interval(Duration::from_millis(10));
        while ledger.count.load(Ordering::Relaxed) < goal {
            look.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), breath).await.expect("they come back");
}

fn db_emails(instance: &Instance) -> HashSet<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let rows: Vec<Row> = diesel::sql_query("SELECT value FROM customer_identities WHERE kind = 3")
        .load(&mut instance.db_connection())
        .unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

fn house() -> (TempDir, House, String) {
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL's user has to get into it.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let settings =
        Options { durable: true, max_connections: 100, ..options(dir.path().join("cluster")) };
    let cluster = Cluster::start(&settings).unwrap();
    cluster.create_database_if_missing("ledger").unwrap();
    let url = cluster.url("ledger");
    let urls = Arc::new(Mutex::new([String::new(), String::new()]));
    (dir, House { postgres: Some(cluster), settings, servers: [None, None], urls }, url)
}

#[actix_web::test]
async fn what_is_acknowledged_is_there_once_though_servers_and_postgres_are_killed() {
    let (_dir, mut house, url) = house();
    let instance = Instance::over(&url).await;
    let acme = instance.acme();
    let (now, later) = (acme.listener().await, acme.listener_with(json!({"mode": "async"})).await);
    let path = |url: &str| url.replace(&instance.url, "");
    let paths = [path(&now.url), path(&later.url)];
    house.kill_server(0, &instance);
    house.kill_server(1, &instance);
    let ledger = Arc::new(Ledger::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let urls = Arc::clone(&house.urls);
            actix_web::rt::spawn(client(number, Arc::clone(&ledger), urls, paths.clone()))
        })
        .collect();

    for blow in 0..KILLS {
        take_breath(&ledger).await;
        house.kill_server(blow % 2, &instance);
        if blow % KILLS_A_RESTART == KILLS_A_RESTART / 2 {
            take_breath(&ledger).await;
            house.restart_postgres(blow % (2 * KILLS_A_RESTART) == KILLS_A_RESTART / 2);
        }
    }
    take_breath(&ledger).await;
    ledger.closed.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    instance.db_until_none("deliveries WHERE status = 'pending'").await;

    let there = db_emails(&instance);
    let (sent, acknowledged) =
        (ledger.sent.lock().unwrap().clone(), ledger.acknowledged.lock().unwrap().clone());
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    let invented: Vec<_> = there.difference(&sent).collect();
    assert!(invented.is_empty(), "there and never sent: {invented:?}");
    assert_eq!(instance.db_count("customers"), i64::try_from(there.len()).unwrap());
    let doubled = "(SELECT FROM notes GROUP BY customer_id HAVING count(*) > 1) AS doubled";
    assert_eq!(instance.db_count(doubled), 0);
    assert_eq!(instance.db_count("notes"), instance.db_count("customers"));
    assert!(acknowledged.len() >= KILLS * BREATH, "{} acknowledged", acknowledged.len());
}
