//! The log: what happened to a request, and no secret (`api.md` 1).

use crate::support::{Instance, PASSWORD, Process, Reply, SECRET_KEY, person};
use beeiq::config::{LogFormat, LogSettings};
use beeiq::telemetry;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join;
use serde_json::{Value, json};
use std::env;
use std::process::Command;

#[actix_web::test]
async fn no_token_password_secret_or_body_is_in_the_log() {
    let instance = Instance::start().await;
    let flags = ["--environment=staging", "--log-filter=info,beeiq=trace,actix_http=debug"];
    let process = Process::with(&instance, &flags.map(str::to_owned));
    let listener = instance.acme().listener().await.at(&process.url);
    let session = instance.acme().db_token("admin");
    let post = |path: &str| instance.client.post(format!("{}{path}", process.url));

    listener.send(&[person("Xanthippe", "xanthippe@a.test")]).await.expect(200);
    listener.post_bytes("?q=xanthippe", b"{\"Xanthippe\": ".to_vec(), &[]).await.expect(400);
    for password in [PASSWORD, "xanthippe's password"] {
        let body = json!({"org": "acme", "email": "ann@acme.test", "password": password});
        Reply::to(post("/api/v1/sessions").json(&body)).await;
    }
    let create = post("/api/v1/listeners").bearer_auth(&session);
    let made = Reply::to(create.json(&json!({"name": "Xanthippe"}))).await.expect(201);
    let secret_url = made.body["url"].as_str().unwrap().to_owned();
    post("/listener/xanthippe").body("x").send().await.unwrap();
    // A database that fails has much to say, too.
    instance.db_execute("ALTER TABLE customers RENAME COLUMN name TO gone");
    listener.send(&[person("Xanthippe", "x2@a.test")]).await;

    let log = process.stop().join("\n");
    assert!(log.contains("\"answered\"") && log.contains("ERROR"), "{log}");
    let token = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    for secret in
        [token(&listener.url), token(&secret_url), session, PASSWORD.into(), SECRET_KEY.into()]
    {
        assert!(!log.contains(&secret), "{secret}: {log}");
    }
    assert!(!log.to_lowercase().contains("xanthippe"), "{log}");
}

/// What says that this test is to panic, in a process of its own.
const PANICS: &str = "BEEIQ_TEST_PANICS";

/// Messages of panics quote what they choked on.
#[test]
fn a_panic_is_a_line_that_says_where_and_not_what() {
    if env::var_os(PANICS).is_some() {
        let settings = LogSettings { log_format: LogFormat::Json, log_filter: "info".to_owned() };
        telemetry::init(&settings).unwrap();
        let name = String::from("Xanthippe");
        let thread = std::thread::Builder::new().name("hop".to_owned());
        thread.spawn(move || panic!("no such name: {name}")).unwrap().join().unwrap_err();
        return;
    }
    let thread = std::thread::current();
    let this = Command::new(env::current_exe().unwrap())
        .args(["--exact", thread.name().unwrap(), "--nocapture"])
        .env(PANICS, "1")
        .output()
        .unwrap();
    let log = String::from_utf8(this.stderr).unwrap();
    assert!(this.status.success() && !log.contains("Xanthippe"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert_eq!((&lines[0]["level"], &lines[0]["thread"]), (&json!("ERROR"), &json!("hop")));
    assert!(lines[0]["location"].as_str().unwrap().contains("logs.rs:"), "{log}");
}

#[actix_web::test]
async fn every_line_of_a_request_has_its_id_and_the_callers_own() {
    let instance = Instance::start().await;
    let process = Process::start(&instance);
    let listener = instance.acme().listener().await.at(&process.url);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("X-Request-Id", "shop-4711"), ("traceparent", parent.as_str())];
    instance.db_execute("ALTER TABLE customers RENAME COLUMN name TO gone");
    let body = json!({"senderUser": "ann@acme.test", "data": [person("Huy", "h@a.test")]});
    let reply = listener.post_bytes("", body.to_string().into_bytes(), &headers).await;
    let id = reply.header("X-Request-Id").unwrap().to_owned();
    assert_ne!(id, "shop-4711");

    let lines: Vec<Value> = process
        .stop()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["span"]["request_id"] == id.as_str())
        .collect();
    // The one of the edge, and one from where the database was asked.
    assert!(lines.len() > 1, "{lines:?}");
    for line in lines {
        assert_eq!(
            (&line["span"]["caller_request_id"], &line["span"]["trace_id"]),
            (&json!("shop-4711"), &json!(trace))
        );
    }
}

/// Who sees a statement that blocks others wants to know whose it is.
#[actix_web::test]
async fn postgres_knows_which_request_a_transaction_belongs_to() {
    #[derive(QueryableByName)]
    struct Session {
        #[diesel(sql_type = Text)]
        application_name: String,
    }
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; LOCK TABLE deliveries IN EXCLUSIVE MODE").unwrap();
    let look = async {
        instance.db_until_a_request_waits().await;
        let blocked = diesel::sql_query(
            "SELECT application_name FROM pg_stat_activity \
              WHERE datname = current_database() AND wait_event_type = 'Lock' \
                AND application_name LIKE 'beeiq/%'",
        );
        let found: Session = blocked.get_result(&mut instance.db_connection()).unwrap();
        lock.batch_execute("COMMIT").unwrap();
        found.application_name
    };
    let (reply, name) = join(listener.send(&[]), look).await;
    assert_eq!(name, format!("beeiq/{}", reply.header("X-Request-Id").unwrap()));
}
