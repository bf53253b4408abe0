//! Who changed which setting, when, from where (`api.md` 4).

use crate::support::Instance;
use chrono::{DateTime, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

fn told(line: &Value) -> (&str, &str, &str) {
    let text = |field: &str| line[field].as_str().unwrap();
    (text("action"), text("resource"), text("name"))
}

#[actix_web::test]
async fn each_change_of_a_setting_writes_one_line_with_what_it_was_and_is() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = acme.post("/tags", &json!({"name": "A"})).await.expect(201).body;
    let path = format!("/tags/{}", made["id"].as_str().unwrap());
    let body = json!({"name": "B"});
    acme.call("owner", Method::PATCH, &path, Some(&body)).await.expect(200);
    acme.patch(&path, &body).await.expect(200);
    acme.patch(&path, &json!({"name": ""})).await.expect(422);
    acme.delete(&path).await.expect(204);

    let listed = acme.get("/audit-log").await.expect(200);
    let lines: Vec<_> = listed.data().iter().map(told).collect();
    assert_eq!(
        lines,
        [("deleted", "tags", "B"), ("changed", "tags", "B"), ("created", "tags", "A")],
        "a change of nothing, and one that is refused, are none"
    );
    let changed = &listed.data()[1];
    assert_eq!(changed["actor"], json!({"email": "owner@acme.test"}));
    assert_eq!(changed["address"], "127.0.0.1");
    assert_eq!(changed["resourceId"], made["id"]);
    assert_eq!(changed["changes"], json!({"name": {"from": "A", "to": "B"}}));
    let one = format!("/audit-log/{}", changed["id"].as_str().unwrap());
    assert_eq!(&acme.get(&one).await.expect(200).body, changed);
    instance.globex().get(&one).await.expect(404);
    assert_eq!(instance.globex().get("/audit-log").await.data(), [] as [Value; 0]);
}

#[actix_web::test]
async fn listeners_are_told_of_without_their_urls() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"name": "Form"})).await;
    acme.patch(&listener.path(), &json!({"enabled": false})).await.expect(200);
    let rotation = json!({"graceSeconds": 60});
    acme.post(&format!("{}/rotate", listener.path()), &rotation).await.expect(200);
    acme.delete(&listener.path()).await.expect(204);
    let query = format!("/audit-log?resource=listeners&resourceId={}", listener.id);
    let listed = acme.get(&query).await.expect(200);
    assert_eq!(listed.each("action"), ["deleted", "rotated", "changed", "created"]);
    assert_eq!(listed.data()[2]["changes"], json!({"enabled": {"from": true, "to": false}}));
    assert!(!listed.body.to_string().contains("/listener/"), "{:#}", listed.body);
}

#[actix_web::test]
async fn the_orgs_own_settings_and_users_are_told_of_without_passwords() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.patch("/settings", &json!({"defaultRegion": "US"})).await.expect(200);
    let body = json!({"email": "lan@acme.test", "password": "correct horse battery"});
    acme.post("/users", &body).await.expect(201);
    let listed = acme.get("/audit-log").await.expect(200);
    assert_eq!(told(&listed.data()[0]), ("created", "users", "lan@acme.test"));
    assert!(listed.data()[0]["changes"].get("password").is_none());
    assert_eq!(told(&listed.data()[1]), ("changed", "settings", "acme"));
    assert_eq!(listed.data()[1]["changes"], json!({"defaultRegion": {"from": "VN", "to": "US"}}));
    assert!(!listed.body.to_string().contains("horse"), "{:#}", listed.body);
}

#[actix_web::test]
async fn the_log_is_filtered_by_resource_actor_and_time_and_comes_in_pages() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for name in ["A", "B", "C"] {
        acme.post("/tags", &json!({"name": name})).await.expect(201);
    }
    let body = json!({"name": "S"});
    acme.call("owner", Method::POST, "/sources", Some(&body)).await.expect(201);
    let at = acme.get("/audit-log").await.data()[1]["at"].as_str().unwrap().to_owned();
    let time = DateTime::parse_from_rfc3339(&at).unwrap().to_utc();
    let (now, later) =
        (time.format("%FT%T%.6fZ"), (time + TimeDelta::hours(1)).format("%FT%T%.6fZ"));
    for (query, names) in [
        ("resource=tags".to_owned(), vec!["C", "B", "A"]),
        ("actor=owner@acme.test".to_owned(), vec!["S"]),
        ("resource=sources&actor=admin@acme.test".to_owned(), vec![]),
        (format!("from={now}"), vec!["S", "C"]),
        (format!("to={now}"), vec!["C", "B", "A"]),
        (format!("from={later}"), vec![]),
        ("resource=tags&limit=1".to_owned(), vec!["C"]),
    ] {
        let found = acme.get(&format!("/audit-log?{query}")).await.expect(200);
        assert_eq!(found.each("name"), names, "{query}");
    }
    let page = acme.get("/audit-log?limit=3").await.expect(200);
    let cursor = page.body["page"]["nextCursor"].as_str().unwrap();
    let next = acme.get(&format!("/audit-log?cursor={cursor}")).await.expect(200);
    assert_eq!(next.each("name"), ["A"]);
    for query in ["from=yesterday", "who=ann"] {
        acme.get(&format!("/audit-log?{query}")).await.expect(422);
    }
}
