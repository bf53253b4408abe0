//! More than there is room for: others are served, memory stays bounded (`listener.md` 1, 2, 503).

use crate::support::{ANN, Instance, Listener, Process, Reply, action, http_client, person};
use beeiq::store::error::StoreError;
use beeiq::store::orgs;
use beeiq::store::pool::in_org_with_kept_plans;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

const MIB: usize = 1024 * 1024;

/// What a process with the default settings may take at most, whatever is sent: see docs/operations.md.
const MOST_MEMORY: usize = 1024 * MIB;

/// A body of nearly 10 MiB with thousands of actions, its people told apart by `n`.
fn valid(n: usize) -> Vec<u8> {
    const ACTIONS: usize = 1500;
    let notes = "x".repeat(5700);
    let addresses: Vec<Value> = (0..40).map(|i| json!({"city": format!("c{i}")})).collect();
    let actions: Vec<Value> = (0..ACTIONS)
        .map(|i| {
            action(
                "add-contact",
                json!({
                    "name": format!("Person {i}"),
                    "emails": [{"type": "Work", "value": format!("p{i}.{n}@x.com")}],
                    "phones": [{"value": format!("09{:08}", n * ACTIONS + i)}],
                    "addresses": addresses,
                    "bgInfo": notes,
                }),
            )
        })
        .collect();
    let body = json!({"senderUser": ANN, "data": actions}).to_string().into_bytes();
    assert!((9 * MIB..10 * MIB).contains(&body.len()), "{}", body.len());
    body
}

/// Junk of nearly 10 MiB that would be worth gigabytes once parsed, or nothing at all.
fn junk(n: usize) -> Vec<u8> {
    let piece = [r#"{"":0},"#, "0,", r#""a","#, "[],"][n % 4];
    let head = format!("{{\"senderUser\": \"{ANN}\", \"data\": [");
    let fill = piece.repeat((10 * MIB - 100) / piece.len());
    let end = if n % 8 < 4 { "0]}" } else { "" };
    format!("{head}{fill}{end}").into_bytes()
}

async fn post(client: &reqwest::Client, listener: &Listener<'_>, body: Vec<u8>) -> u16 {
    Reply::to(client.post(&listener.url).body(body)).await.status
}

/// Senders who send the head of a request and then a byte a second, until told to stop.
struct Dribblers {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<usize>>,
}

impl Dribblers {
    fn start(count: usize, server: &str, listener: &Listener<'_>) -> Self {
        let address = server.strip_prefix("http://").unwrap().to_owned();
        let path = listener.url.strip_prefix(&listener.org.instance.url).unwrap().to_owned();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
        let mut sockets: Vec<TcpStream> = (0..count)
            .map(|_| {
                let mut socket = TcpStream::connect(&address).unwrap();
                socket.write_all(head.as_bytes()).unwrap();
                socket
            })
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        // A byte a second is what this is about; nothing waits for it.
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                sockets.retain_mut(|socket| socket.write_all(b" ").is_ok());
                std::thread::park_timeout(Duration::from_secs(1));
            }
            sockets.len()
        });
        Self { stop, thread: Some(thread) }
    }

    /// Stops them, and tells how many were still being listened to.
    fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().unwrap();
        thread.thread().unpark();
        thread.join().unwrap()
    }
}

#[actix_web::test]
async fn three_hundred_who_send_a_byte_a_second_keep_nobody_out() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    // They are to be there all the time.
    let patient =
        ["--environment=staging", "--body-grace-seconds=600", "--body-deadline-seconds=600"]
            .map(str::to_owned);
    let process = Process::with(&instance, &patient);
    let normal = listener.at(&process.url);
    let alone = slowest_of(&normal, 1, 900).await;
    let dribblers = Dribblers::start(300, &process.url, &listener);
    let slowest = slowest_of(&normal, 5, 0).await;
    // On a machine that is busy with other tests it takes longer without them, too.
    let bound = Duration::from_secs(2).max(4 * alone);
    assert!(slowest < bound, "{slowest:?}, and {alone:?} alone");
    assert_eq!(dribblers.stop(), 300, "all of them were there meanwhile");
}

/// The slowest of so many rounds of ten posts at once.
async fn slowest_of(listener: &Listener<'_>, rounds: usize, first: usize) -> Duration {
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let posts = (0..10).map(|n| {
            let (listener, number) = (listener.clone(), first + round * 10 + n);
            async move {
                let started = Instant::now();
                let sent = listener.send(&[person("P", &format!("p{number}@x.com"))]).await;
                sent.expect(200);
                started.elapsed()
            }
        });
        slowest = join_all(posts).await.into_iter().fold(slowest, Duration::max);
    }
    slowest
}

/// Many first requests after a start would otherwise take every connection for the same answer.
#[actix_web::test]
async fn of_many_who_need_a_directory_one_reads_it() {
    let instance = Instance::start().await;
    let org = instance.app.db.run_here(|conn| orgs::with_slug(conn, "acme")).unwrap().unwrap().id;
    let mut statements = Vec::new();
    for askers in [1, 50] {
        let another = instance.another();
        join_all((0..askers).map(|_| another.app.directories.get(org))).await;
        statements.push(another.app.db.statements_sent());
    }
    assert_eq!(statements[0], statements[1]);
}

#[actix_web::test]
async fn sixty_four_of_the_largest_bodies_at_once_stay_within_the_memory_that_is_stated() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    let listener = acme.listener().await;
    let (process, client) = (Process::start(&instance), http_client());
    let (large, small) = (listener.at(&process.url), globex.listener().await.at(&process.url));
    let bodies = (0..64).map(|n| {
        let body = if n % 2 == 0 { valid(n / 2) } else { junk(n / 2) };
        post(&client, &large, body)
    });
    let others = async {
        let mut statuses = Vec::new();
        for n in 0..20 {
            statuses.push(small.send(&[person("P", &format!("p{n}@x.com"))]).await.status);
        }
        statuses
    };
    let (statuses, others) = join(join_all(bodies), others).await;
    assert_eq!(others, vec![200; 20], "another org is served meanwhile");
    let expected = [200, 207, 400, 413, 422, 503];
    assert!(statuses.iter().all(|status| expected.contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200), "some are applied: {statuses:?}");
    assert_eq!(instance.db_count("deliveries WHERE status = 'pending'"), 0);
    let peak = process.peak_memory();
    assert!(peak < MOST_MEMORY, "{} MiB", peak / MIB);
    println!("peak {} MiB {statuses:?}", peak / MIB);
    small.send(&[]).await.expect(200);
}

/// Without it a body of ten megabytes of `{"":0}` takes a gigabyte.
#[actix_web::test]
async fn a_body_of_more_values_than_its_memory_holds_is_refused_and_kept_as_far_as_it_was_read() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let reply = listener.post_bytes("", junk(0), &[]).await.expect(413);
    assert_eq!(reply.problem().0, "too_complex");
    assert_eq!(instance.db_count("deliveries WHERE http_status = 413 AND NOT body_complete"), 1);
}

#[actix_web::test]
async fn where_there_is_no_room_the_answer_is_503_and_says_when_to_come_back() {
    let flags = ["--max-body-bytes", "1000000", "--max-inflight-bytes", "2000000"];
    let instance = Instance::with(&flags).await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    // A body that is being read has taken most of the org's share.
    let org = acme.get("/me").await.expect(200).body["org"]["id"].as_str().unwrap().parse();
    let mut held = instance.app.pipeline.capacity().hold(org.unwrap()).unwrap();
    held.grow(990_000).unwrap();
    let large = format!("{{\"senderUser\": \"{ANN}\"{}}}", " ".repeat(900_000)).into_bytes();
    let refused = listener.post_bytes("", large.clone(), &[]).await.expect(503);
    assert_eq!(refused.problem().0, "overloaded");
    assert!(refused.header("retry-after").is_some());
    listener.send(&[]).await.expect(200);
    drop(held);
    listener.post_bytes("", large, &[]).await.expect(200);
}

/// A lock that is not had in time ends a transaction in the round trip that begins it.
#[actix_web::test]
async fn a_transaction_that_cannot_begin_leaves_its_connection_to_others_as_it_was() {
    let instance = Instance::start().await;
    let done = instance.app.db.run_here(|conn| {
        let failed: Result<(), StoreError> =
            in_org_with_kept_plans(conn, Uuid::nil(), "SELECT 1 / 0", |_| Ok(()));
        assert!(matches!(failed, Err(StoreError::Refused(_))), "{failed:?}");
        orgs::with_slug(conn, "acme")
    });
    done.unwrap();
}
