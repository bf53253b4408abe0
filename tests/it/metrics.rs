//! `GET /metrics`: what those who watch an instance go by (`api.md` 1).

use crate::support::{Instance, Process, Reply, action, person};
use beeiq::clock;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

/// The metrics of the server at that URL.
async fn metrics(instance: &Instance, url: &str) -> String {
    let response = instance.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = response.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

async fn metrics_of(instance: &Instance) -> String {
    metrics(instance, &format!("{}/metrics", instance.url)).await
}

/// The value of a series, by its name and labels as they are written.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

#[actix_web::test]
async fn requests_deliveries_and_actions_are_counted_without_a_secret_in_a_label() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let huy = person("Huy", "huy@a.test");
    let actions =
        [huy.clone(), huy.clone(), action("add-lead", json!({})), action("made-up", json!({}))];
    listener.send(&actions).await.expect(207);
    listener
        .post_with("?dryRun=true", &json!({"senderUser": "ann@acme.test", "data": [huy]}))
        .await
        .expect(200);
    listener.post(&json!({"senderUser": 7})).await.expect(422);
    Reply::to(instance.request(Method::POST, "/listener/no-such-token")).await.expect(404);
    instance.get("/secret-path").await.expect(404);

    let text = metrics_of(&instance).await;
    let route = r#"route="/listener/{token}",method="POST""#;
    for (series, count) in [
        (format!("beeiq_http_requests_total{{{route},status=\"207\"}}"), 1.0),
        (format!("beeiq_http_request_duration_seconds_count{{{route}}}"), 4.0),
        (r#"beeiq_http_requests_total{route="none",method="GET",status="404"}"#.to_owned(), 1.0),
        (r#"beeiq_actions_total{action="add-contact",status="created"}"#.to_owned(), 1.0),
        (r#"beeiq_actions_total{action="add-contact",status="duplicate"}"#.to_owned(), 1.0),
        (r#"beeiq_actions_total{action="add-lead",status="failed"}"#.to_owned(), 1.0),
        (r#"beeiq_actions_total{action="unknown",status="failed"}"#.to_owned(), 1.0),
        (r#"beeiq_deliveries_total{status="partial"}"#.to_owned(), 1.0),
        (r#"beeiq_deliveries_total{status="rejected"}"#.to_owned(), 1.0),
        ("beeiq_database_up".to_owned(), 1.0),
        (r#"beeiq_db_connections{state="max"}"#.to_owned(), 8.0),
        ("beeiq_db_wait_timeouts_total".to_owned(), 0.0),
    ] {
        assert!((value(&text, &series) - count).abs() < 1e-9, "{series}: {text}");
    }
    for series in [
        "beeiq_db_statements_total",
        "beeiq_db_waits_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_cpu_seconds_total",
        "process_start_time_seconds",
        r#"beeiq_build_info{version="0.1.0"}"#,
    ] {
        assert!(value(&text, series) > 0.0, "{series}");
    }
    let token = listener.url.rsplit('/').next().unwrap();
    for secret in [token, "no-such-token", "secret-path", "huy@a.test", "made-up"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[actix_web::test]
async fn what_waits_in_the_outbox_is_told_by_channel_with_its_age() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let sms = json!({"content": "Hi", "phones": ["0905000001", "0905000002", "0905000003"]});
    listener.act("send-sms", sms).await.expect(200);
    instance.db_execute(
        "UPDATE outbox SET status = 'pending', next_attempt_at = now() - interval '1 hour'; \
         UPDATE outbox SET next_attempt_at = now() + interval '1 hour' \
          WHERE recipient = '+84905000003'",
    );
    let text = metrics_of(&instance).await;
    let of =
        |metric: &str, channel: &str| value(&text, &format!("{metric}{{channel=\"{channel}\"}}"));
    assert!((of("beeiq_outbox_due", "sms") - 2.0).abs() < 1e-9, "{text}");
    assert!((3600.0..3700.0).contains(&of("beeiq_outbox_oldest_due_seconds", "sms")), "{text}");
    // A series that vanished would raise no alarm.
    assert!(of("beeiq_outbox_due", "email").abs() < 1e-9, "{text}");
}

#[actix_web::test]
async fn what_waits_to_be_applied_is_told_with_the_age_of_the_oldest() {
    let instance = Instance::start().await;
    let idle = metrics_of(&instance).await;
    // A series that vanished would raise no alarm.
    assert!(value(&idle, "beeiq_deliveries_pending{}").abs() < 1e-9, "{idle}");
    assert!(value(&idle, "beeiq_deliveries_oldest_pending_seconds{}").abs() < 1e-9, "{idle}");

    for org in [instance.acme(), instance.globex()] {
        let listener = org.listener_with(json!({"mode": "async"})).await;
        listener.send(&[]).await.expect(202);
    }
    // Ids are UUID v7: this one is of an hour ago.
    let hour_ago = clock::now() - TimeDelta::hours(1);
    let millis = u64::try_from(hour_ago.timestamp_millis()).unwrap();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    instance.db_execute(&format!(
        "UPDATE deliveries SET id = '{id}' WHERE id = (SELECT id FROM deliveries LIMIT 1)"
    ));
    // What is measured is told again for some seconds; another process has not looked yet.
    let text = metrics_of(&instance.another()).await;
    assert!((value(&text, "beeiq_deliveries_pending{}") - 2.0).abs() < 1e-9, "{text}");
    let oldest = value(&text, "beeiq_deliveries_oldest_pending_seconds{}");
    assert!((3600.0..3700.0).contains(&oldest), "{text}");
}

/// When the database is away is when somebody looks.
#[actix_web::test]
async fn metrics_are_told_without_the_database() {
    let instance = Instance::start().await;
    instance.db_take_away();
    let text = metrics_of(&instance).await;
    assert!(value(&text, "beeiq_database_up").abs() < 1e-9, "{text}");
    assert!(!text.contains("beeiq_outbox_due{"), "{text}");
    assert!(!text.contains("beeiq_deliveries_pending{"), "{text}");
    assert!(value(&text, "beeiq_db_wait_timeouts_total") > 0.0, "{text}");
}

/// What an instance does is its operator's business.
#[actix_web::test]
async fn in_production_metrics_are_told_to_who_has_their_token() {
    let closed = Instance::production(&[]).await;
    closed.get("/metrics").await.expect(404);
    let open = Instance::production(&["--metrics-token", "m3trics"]).await;
    for (header, status) in
        [(None, 404), (Some("Bearer wrong"), 404), (Some("Bearer m3trics"), 200)]
    {
        let mut request = open.client.get(format!("{}/metrics", open.url));
        if let Some(header) = header {
            request = request.header("Authorization", header);
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{header:?}");
    }
}

#[actix_web::test]
async fn behind_https_browsers_are_told_to_stay_there() {
    let header = "strict-transport-security";
    let plain = Instance::start().await;
    assert!(plain.get("/healthz").await.expect(200).header(header).is_none());
    let secure = Instance::with(&["--public-url", "https://crm.example"]).await;
    assert!(secure.get("/healthz").await.expect(200).header(header).is_some());
}

#[actix_web::test]
async fn metrics_with_an_address_of_their_own_are_not_on_the_public_one() {
    let instance = Instance::start().await;
    let flags = ["--environment=staging", "--metrics-bind=127.0.0.1:0"].map(str::to_owned);
    let process = Process::with(&instance, &flags);
    let url = process.logged("metrics");
    let text = metrics(&instance, &url).await;
    assert!(value(&text, "beeiq_database_up") > 0.0);
    for (url, status) in
        [(format!("{}/metrics", process.url), 404), (url.replace("/metrics", "/healthz"), 404)]
    {
        assert_eq!(instance.client.get(&url).send().await.unwrap().status(), status, "{url}");
    }
}
