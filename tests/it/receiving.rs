//! What a listener takes, what it refuses, and what of it is kept (`listener.md` 1, 2, 9).

use crate::support::{ANN, Instance, Listener, Reply, action, payload, person};
use serde_json::{Value, json};
use std::io::{Read, Write};

/// The problem's code, after checking that the answer is a whole problem document.
#[track_caller]
fn problem(reply: &Reply, status: u16) -> &str {
    assert_eq!(reply.status, status, "{:#}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    for field in ["type", "title", "detail", "code", "requestId"] {
        assert!(reply.body[field].is_string(), "{field} is missing: {:#}", reply.body);
    }
    assert_eq!(reply.body["status"], status);
    reply.body["code"].as_str().unwrap()
}

async fn post_text(listener: &Listener<'_>, body: &str) -> Reply {
    listener.post_bytes("", body.as_bytes().to_vec(), &[]).await
}

#[actix_web::test]
async fn a_payload_without_actions_is_a_valid_ping() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for body in [json!({"senderUser": ANN}), payload(&[]), json!({"senderUser": ANN, "data": null})]
    {
        let reply = listener.post(&body).await.expect(200);
        assert_eq!(reply.body["summary"]["total"], 0);
        assert_eq!(reply.body["results"], json!([]));
        assert_eq!(reply.body["environment"], "staging");
        assert_eq!(reply.header("beeiq-environment"), Some("staging"));
    }
}

#[actix_web::test]
async fn the_content_type_is_not_policed() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for kind in
        ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8"]
    {
        let body = payload(&[]).to_string().into_bytes();
        listener.post_bytes("", body, &[("content-type", kind)]).await.expect(200);
    }
}

#[actix_web::test]
async fn what_is_not_json_is_told_where_and_kept_as_rejected() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    for (body, says) in [
        ("{\n  \"senderUser\": oops\n}", "line 2, column 17, near `  \"senderUser\": oops`"),
        ("", "empty"),
        ("senderUser=ann%40acme.test&data=%5B%5D", "form-encoded"),
        ("{\"senderUser\": \"\\ud800\"}", "line 1"),
        ("{\"phones\": [“0333456789”,”098765431”]}", "curly quote (“)"),
        ("{\"contactType\": \"lead\", //remove or replace\n\"a\": 1}", "comment"),
        ("{\"model\": \"deal\", }", "trailing comma"),
    ] {
        let reply = post_text(&listener, body).await;
        assert_eq!(problem(&reply, 400), "not_json");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{detail}");
    }
    assert_eq!(instance.db_count("deliveries WHERE status = 'rejected' AND http_status = 400"), 7);
    assert_eq!(
        instance.db_count(
            "deliveries WHERE body = convert_to(E'{\\n  \"senderUser\": oops\\n}', 'UTF8')"
        ),
        1
    );
}

#[actix_web::test]
async fn every_limit_is_named_where_it_is_passed() {
    let flags = ["--max-body-bytes", "2000", "--max-actions", "3", "--max-nesting", "8"];
    let instance = Instance::with(&flags).await;
    let listener = instance.acme().listener().await;
    let deep =
        format!("{{\"senderUser\": \"{ANN}\", \"data\": {}{}}}", "[".repeat(8), "]".repeat(8));
    for (body, code, says) in [
        (format!("{{\"senderUser\": \"{}\"}}", "x".repeat(2000)), "body_too_large", "2000 bytes"),
        (payload(&vec![json!({}); 4]).to_string(), "too_many_actions", "limit is 3"),
        (deep, "too_deep", "8 levels"),
    ] {
        let reply = post_text(&listener, &body).await;
        assert_eq!(problem(&reply, 413), code);
        assert!(reply.body["detail"].as_str().unwrap().contains(says), "{}", reply.body);
    }
    let within =
        format!("{{\"senderUser\": \"{ANN}\", \"data\": {}{}}}", "[".repeat(7), "]".repeat(7));
    assert_eq!(post_text(&listener, &within).await.status, 422, "read, and then at fault");
    assert_eq!(instance.db_count("deliveries WHERE status = 'rejected' AND http_status = 413"), 3);
    assert_eq!(instance.db_count("deliveries WHERE NOT body_complete"), 1);
}

#[actix_web::test]
async fn an_encoded_body_is_refused_and_kept() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let reply = listener.post_bytes("", vec![31, 139, 0], &[("content-encoding", "gzip")]).await;
    assert_eq!(problem(&reply, 415), "encoding_not_supported");
    assert_eq!(instance.db_count("deliveries WHERE http_status = 415 AND body = '\\x1f8b00'"), 1);
}

/// Somebody who sends a byte now and then must not hold a place for ever.
#[actix_web::test]
async fn a_body_that_does_not_come_is_given_up_and_what_came_is_kept() {
    let flags = ["--body-grace-seconds", "1", "--body-deadline-seconds", "1"];
    let instance = Instance::with(&flags).await;
    let listener = instance.acme().listener().await;
    let address = instance.url.strip_prefix("http://").unwrap().to_owned();
    let path = listener.url.strip_prefix(&instance.url).unwrap().to_owned();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(socket, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{\"sen")
            .unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap();
    assert_eq!(answer, "HTTP/1.1 408");
    assert_eq!(instance.db_count("deliveries WHERE http_status = 408 AND body = '{\"sen'"), 1);
}

#[actix_web::test]
async fn every_fault_of_the_envelope_is_told_with_its_place() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for (body, code, errors) in [
        (json!({}), "invalid_envelope", vec![("required", "/senderUser")]),
        (json!([]), "invalid_envelope", vec![("wrong_type", "")]),
        (
            json!({"senderUser": 7, "data": {}}),
            "invalid_envelope",
            vec![("invalid_email", "/senderUser"), ("wrong_type", "/data")],
        ),
        (
            json!({"senderUser": "nobody@acme.test"}),
            "unknown_sender",
            vec![("unknown_sender", "/senderUser")],
        ),
        (
            json!({"senderUser": "ann@globex.test"}),
            "unknown_sender",
            vec![("unknown_sender", "/senderUser")],
        ),
        (
            json!({"senderUser": ANN, "data": "x"}),
            "invalid_envelope",
            vec![("wrong_type", "/data")],
        ),
    ] {
        let reply = listener.post(&body).await;
        assert_eq!(problem(&reply, 422), code, "{body}");
        assert_eq!(reply.problem().1, errors, "{body}");
    }
    assert_eq!(instance.db_count("deliveries WHERE status = 'rejected' AND http_status = 422"), 6);
}

#[actix_web::test]
async fn the_sender_is_found_in_any_spelling() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener.post(&json!({"senderUser": "  ANN@Acme.Test "})).await.expect(200);
}

#[actix_web::test]
async fn an_unknown_field_of_the_top_level_is_warned_of_in_the_answer() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let reply = listener.post(&json!({"senderUser": ANN, "dat": []})).await.expect(200);
    assert_eq!(reply.body["warnings"][0]["code"], "unknown_field");
    assert_eq!(reply.body["warnings"][0]["pointer"], "/dat");
    assert!(reply.body["warnings"][0]["message"].as_str().unwrap().contains("`data`"));
}

#[actix_web::test]
async fn an_entry_that_is_no_action_fails_alone() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let actions = [
        json!(7),
        json!({"actionType": "add-contct", "data": {}}),
        json!({"data": {"name": "x"}}),
        json!({"actionType": "add-contact"}),
        json!({"actionType": "add-contact", "data": []}),
        person("ok", "ok@x.com"),
    ];
    let reply = listener.send(&actions).await.expect(207);
    assert_eq!(reply.statuses(), ["failed", "failed", "failed", "failed", "failed", "created"]);
    assert_eq!(reply.fault(0), ("wrong_type", "/data/0"));
    assert_eq!(reply.fault(1), ("unknown_action_type", "/data/1/actionType"));
    assert!(reply.result(1)["error"]["message"].as_str().unwrap().contains("add-contact"));
    assert_eq!(reply.fault(2), ("required", "/data/2/actionType"));
    assert_eq!(reply.fault(3), ("required", "/data/3/data"));
    assert_eq!(reply.fault(4), ("wrong_type", "/data/4/data"));
    assert_eq!(instance.db_count("deliveries WHERE status = 'partial' AND http_status = 207"), 1);
}

#[actix_web::test]
async fn where_all_fail_the_answer_is_a_problem_with_results() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let reply = listener.send(&[person("", "a@x.com"), person("", "b@x.com")]).await;
    assert_eq!(problem(&reply, 422), "all_actions_failed");
    assert_eq!(reply.statuses(), ["failed", "failed"]);
    assert_eq!(reply.body["summary"]["failed"], 2);
    assert_eq!(reply.body["warnings"], json!([]));
    assert_eq!(instance.db_count("deliveries WHERE status = 'failed' AND http_status = 422"), 1);
}

#[actix_web::test]
async fn a_dry_run_reports_everything_and_changes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Known", "known@x.com")]).await.expect(200);
    let actions = [
        action(
            "add-contact",
            json!({"name": "New", "tag": "t", "emails": [{"value": "new@x.com"}], "companyContact": {"name": "Co"}}),
        ),
        person("Again", "new@x.com"),
        person("Known", "known@x.com"),
        person("", "bad@x.com"),
    ];
    let reply = listener.post_with("?dryRun=true", &payload(&actions)).await.expect(207);
    assert_eq!(reply.statuses(), ["created", "duplicate", "duplicate", "failed"]);
    assert_eq!(reply.body["dryRun"], true);
    // What would be made has no id and no code yet; what is there has both.
    assert_eq!(reply.result(0)["record"], json!({"model": "contact", "id": null, "code": null}));
    assert_eq!(reply.result(0)["related"][0]["id"], Value::Null);
    assert_eq!(reply.result(1)["record"]["id"], Value::Null);
    assert_eq!(reply.result(2)["record"]["code"], "PID-1");
    assert_eq!(instance.db_count("customers"), 1);
    assert_eq!(instance.db_count("history WHERE kind <> 'created'"), 0);
    assert_eq!(instance.db_count("tags"), 0);
    assert_eq!(instance.db_count("deliveries WHERE dry_run AND status = 'partial'"), 1);
    // Not even a number was used up.
    let reply = listener.send(&[person("Next", "next@x.com")]).await.expect(200);
    assert_eq!(reply.result(0)["record"]["code"], "PID-2");
}

#[actix_web::test]
async fn an_atomic_request_applies_all_or_none() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let bad = payload(&[person("A", "a@x.com"), person("", "b@x.com"), person("C", "c@x.com")]);
    let reply = listener.post_with("?atomic=true", &bad).await;
    assert_eq!(problem(&reply, 422), "atomic_failed");
    assert_eq!(reply.statuses(), ["not_applied", "failed", "not_applied"]);
    assert_eq!(reply.result(0)["record"], Value::Null);
    assert_eq!(instance.db_count("customers"), 0);
    assert_eq!(instance.db_count("deliveries WHERE status = 'failed'"), 1);
    let good = payload(&[person("A", "a@x.com"), person("C", "c@x.com")]);
    let reply = listener.post_with("?atomic=true", &good).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"]);
}

/// `?dryrun=true` would otherwise write what its sender only wanted to try.
#[actix_web::test]
async fn a_misspelt_option_is_refused_and_a_foreign_parameter_warned_of() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let body = payload(&[person("A", "a@x.com")]);
    let reply = listener.post_with("?dryrun=true", &body).await;
    assert_eq!(problem(&reply, 422), "invalid_query");
    assert!(reply.body["detail"].as_str().unwrap().contains("`dryRun`"));
    assert_eq!(instance.db_count("customers"), 0);
    let reply = listener.post_with("?utm_source=x", &body).await.expect(200);
    assert_eq!(reply.body["warnings"][0]["code"], "unknown_field");
}

#[actix_web::test]
async fn a_token_that_leads_nowhere_is_answered_alike_whatever_it_is() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let (base, token) = listener.url.rsplit_once('/').unwrap();
    let (org, secret) = token.split_once('.').unwrap();
    let mut answers = Vec::new();
    for token in [
        "x",
        "",
        &format!("{org}.{}", secret.chars().rev().collect::<String>()),
        &format!("000000000000.{secret}"),
        "%00",
        "..%2f",
    ] {
        let url = format!("{base}/{token}");
        let request = instance.client.post(url).body(payload(&[]).to_string());
        let mut reply = Reply::to(request).await;
        problem(&reply, 404);
        reply.body.as_object_mut().unwrap().remove("requestId");
        answers.push(reply.body);
    }
    answers.remove(1); // No token at all is another path.
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(instance.db_count("deliveries"), 0);
}

#[actix_web::test]
async fn another_method_is_told_which_to_use() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let reply = Reply::to(instance.client.get(&listener.url)).await;
    assert_eq!(problem(&reply, 405), "method_not_allowed");
    assert_eq!(reply.header("allow"), Some("POST"));
}

#[actix_web::test]
async fn a_delivery_is_kept_with_its_answer_and_its_caller_but_not_its_secrets() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let body = payload(&[person("A", "a@x.com")]).to_string();
    let headers = [("authorization", "Bearer secret"), ("x-request-id", "7")];
    let reply =
        listener.post_bytes("?utm=1", body.clone().into_bytes(), &headers).await.expect(200);
    let kept = instance.db_delivery(reply.body["requestId"].as_str().unwrap());
    assert_eq!(serde_json::from_str::<Value>(&kept.answer).unwrap(), reply.body);
    assert_eq!(String::from_utf8(kept.body).unwrap(), body);
    assert_eq!(kept.caller, "127.0.0.1");
    assert_eq!(kept.query, "utm=1");
    assert_eq!(kept.headers["x-request-id"], "7");
    assert_eq!(kept.headers.get("authorization"), None);
    assert_eq!(kept.sender_user.as_deref(), Some(ANN));
}

#[actix_web::test]
async fn while_the_database_is_away_nothing_is_taken_and_the_answer_says_when_to_come_back() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    instance.db_take_away();
    let reply = listener.send(&[person("A", "a@x.com")]).await;
    assert_eq!(problem(&reply, 503), "unavailable");
    assert!(reply.header("retry-after").is_some());
    instance.get("/readyz").await.expect(503);
    instance.get("/healthz").await.expect(200);
}
