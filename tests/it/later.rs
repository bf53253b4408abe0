//! Taken for later: answered 202, applied in order of arrival, once (`listener.md` 9).

use crate::support::{Instance, Listener, Process, Reply, action, payload, person};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::time::Duration;

const WORKERS: &[&str] = &["--later-workers", "2"];

async fn post_for_later(listener: &Listener<'_>, body: &Value) -> Reply {
    listener.post_bytes("", body.to_string().into_bytes(), &[("prefer", "respond-async")]).await
}

/// Asks at the `Location` until it is done.
async fn outcome(instance: &Instance, accepted: &Reply) -> Value {
    let location = accepted.header("location").unwrap().to_owned();
    let done = async {
        let mut ask = tokio::time::interval(Duration::from_millis(20));
        loop {
            ask.tick().await;
            let reply = Reply::to(instance.client.get(&location)).await.expect(200);
            if reply.body["status"] == "done" {
                return reply.body;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("it is applied soon")
}

#[actix_web::test]
async fn a_delivery_is_kept_answered_and_applied_when_somebody_works_for_it() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let body = payload(&[person("Huy", "h@x.com"), action("add-note", json!({"body": "x"}))]);
    let accepted = post_for_later(&listener, &body).await.expect(202);
    assert_eq!(accepted.body["status"], "pending");
    assert_eq!(accepted.header("preference-applied"), Some("respond-async"));
    let location = accepted.header("location").unwrap();
    let waiting = Reply::to(instance.client.get(location)).await.expect(200).body;
    let id = &accepted.body["requestId"];
    let pending = json!({"requestId": id, "status": "pending", "httpStatus": null, "answer": null});
    assert_eq!(waiting, pending);
    assert_eq!(instance.db_count("customers"), 0);

    let _other = instance.another_with(WORKERS);
    let done = outcome(&instance, &accepted).await;
    assert_eq!(done["httpStatus"], 207);
    assert_eq!(done["answer"]["requestId"], *id);
    let code = done["answer"]["results"][0]["record"]["code"].as_str().unwrap();
    assert_eq!(done["answer"]["results"][1]["error"]["code"], "missing_identifier");
    assert_eq!(instance.db_count("deliveries WHERE status = 'partial' AND unresolved = 1"), 1);
    let created = instance.acme().history(&format!("/contacts/{code}")).await;
    assert_eq!(created[0]["requestId"], *id);
}

#[actix_web::test]
async fn a_listener_in_async_mode_takes_everything_for_later_but_dry_runs() {
    let instance = Instance::with(WORKERS).await;
    let listener = instance.acme().listener_with(json!({"mode": "async"})).await;
    let body = payload(&[person("Huy", "h@x.com")]);
    listener.post_with("?dryRun=true", &body).await.expect(200);
    let accepted = listener.post(&body).await.expect(202);
    assert_eq!(outcome(&instance, &accepted).await["httpStatus"], 200);
    assert_eq!(instance.db_count("customers"), 1);
}

/// A wrong envelope would be found only when nobody is there to hear of it.
#[actix_web::test]
async fn what_is_no_json_or_has_a_wrong_envelope_is_refused_at_once() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"mode": "async"})).await;
    listener.post_bytes("", b"{".to_vec(), &[]).await.expect(400);
    for body in [
        json!({}),
        json!({"senderUser": "nobody@x.com"}),
        json!({"senderUser": "ann@acme.test", "data": 1}),
    ] {
        listener.post(&body).await.expect(422);
    }
    assert_eq!(instance.db_count("deliveries WHERE status = 'rejected'"), 4);
}

#[actix_web::test]
async fn deliveries_of_a_listener_are_applied_in_order_of_arrival() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener.send(&[person("Start", "h@x.com")]).await.expect(200);
    for n in 0..40 {
        let data = json!({"customerId": "PID-1", "name": format!("Name {n}")});
        post_for_later(&listener, &payload(&[action("update-contact", data)])).await.expect(202);
    }
    let others = [instance.another_with(WORKERS), instance.another_with(WORKERS)];
    let last = post_for_later(&listener, &payload(&[])).await.expect(202);
    outcome(&instance, &last).await;
    let renamed: Vec<String> = instance
        .acme()
        .history("/contacts/PID-1")
        .await
        .into_iter()
        .rev()
        .filter(|line| line["kind"] == "updated")
        .map(|line| {
            line["details"]["changes"]["name"]["new"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    let expected: Vec<String> = (0..40).map(|n| format!("Name {n}")).collect();
    assert_eq!(renamed, expected);
    drop(others);
}

#[actix_web::test]
async fn a_retry_with_the_same_key_is_told_of_the_first_and_adds_nothing() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"mode": "async"})).await;
    let body = payload(&[action("add-lead", json!({"name": "Huy"}))]).to_string().into_bytes();
    let key = [("idempotency-key", "k1")];
    let first = listener.post_bytes("", body.clone(), &key).await.expect(202);
    let again = listener.post_bytes("", body.clone(), &key).await.expect(202);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = instance.another_with(WORKERS);
    outcome(&instance, &first).await;
    let after = listener.post_bytes("", body, &key).await.expect(202);
    assert_eq!(after.body, first.body);
    assert_eq!(instance.db_count("customers"), 1);
    drop(other);
}

#[actix_web::test]
async fn a_delivery_is_read_only_by_the_listener_that_took_it() {
    let instance = Instance::start().await;
    let (one, other) = (instance.acme().listener().await, instance.acme().listener().await);
    let accepted = post_for_later(&one, &payload(&[])).await.expect(202);
    let id = accepted.body["requestId"].as_str().unwrap();
    for url in [
        format!("{}/deliveries/{id}", other.url),
        format!("{}/deliveries/0199f3c2-0000-7000-8000-000000000001", one.url),
        format!("{}/deliveries/x", one.url),
        format!("{}x/deliveries/{id}", one.url),
    ] {
        Reply::to(instance.client.get(url)).await.expect(404);
    }
}

/// A URL that has leaked must not be good for reading what came in by it.
#[actix_web::test]
async fn an_outcome_is_read_by_the_settings_of_now_in_every_process() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let other = instance.another();
    for (change, status) in [
        (json!({"allowedIps": ["192.0.2.1"]}), 403),
        (json!({"enabled": false}), 410),
        (json!({"rotate": true}), 404),
    ] {
        let listener = acme.listener().await;
        let accepted = post_for_later(&listener, &payload(&[])).await.expect(202);
        let id = accepted.body["requestId"].as_str().unwrap();
        let read = || {
            Reply::to(instance.client.get(format!("{}/deliveries/{id}", listener.on(&other).url)))
        };
        read().await.expect(200);
        if change["rotate"] == true {
            let rotate = format!("{}/rotate", listener.path());
            acme.post(&rotate, &json!({"graceSeconds": 0})).await.expect(200);
        } else {
            acme.patch(&listener.path(), &change).await.expect(200);
        }
        read().await.expect(status);
    }
}

/// Whoever took a delivery was told that it would be applied: what is turned off later concerns the
/// next one.
#[actix_web::test]
async fn what_was_taken_is_applied_though_the_listener_is_disabled_since() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    post_for_later(&listener, &payload(&[person("Huy", "h@x.com")])).await.expect(202);
    acme.patch(&listener.path(), &json!({"enabled": false})).await.expect(200);
    let other = instance.another_with(WORKERS);
    other.db_until_none("deliveries WHERE status = 'pending'").await;
    assert_eq!(instance.db_count("customers"), 1);
}

/// Nobody would see it, and those behind it would wait for ever.
#[actix_web::test]
async fn a_delivery_whose_sender_is_gone_is_kept_as_rejected_and_the_next_one_applied() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let mut body = payload(&[person("Huy", "h@x.com")]);
    body["senderUser"] = json!("bob@acme.test");
    let gone = post_for_later(&listener, &body).await.expect(202);
    let next = post_for_later(&listener, &payload(&[person("Lan", "l@x.com")])).await.expect(202);
    instance.db_execute(
        "UPDATE users SET active = false WHERE email = 'bob@acme.test'; \
         UPDATE org_settings SET directory_version = directory_version + 1",
    );
    let other = instance.another_with(WORKERS);
    assert_eq!(outcome(&instance, &next).await["httpStatus"], 200);
    let told = outcome(&instance, &gone).await;
    assert_eq!(told["httpStatus"], 422);
    assert_eq!(told["answer"]["code"], "unknown_sender");
    drop(other);
}

#[actix_web::test]
async fn what_a_killed_process_left_is_applied_once_by_another() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for n in 0..60 {
        let body = payload(&[action("add-lead", json!({"name": format!("Lead {n}")}))]);
        post_for_later(&listener, &body).await.expect(202);
    }
    for _ in 0..3 {
        let process = Process::start(&instance);
        instance.db_until("deliveries WHERE status = 'succeeded'").await;
        drop(process); // which kills it
    }
    let _last = Process::start(&instance);
    instance.db_until_none("deliveries WHERE status = 'pending'").await;
    assert_eq!(instance.db_count("customers"), 60);
    assert_eq!(instance.db_count("deliveries WHERE status = 'succeeded'"), 60);
}

/// Has Postgres refuse contacts, and counts how often it did: a sequence does not roll back.
fn refuse_contacts(instance: &Instance, message: &str) {
    instance.db_execute(&format!(
        "CREATE SEQUENCE refusals; GRANT USAGE ON SEQUENCE refusals TO PUBLIC; \
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM nextval('refusals'); RAISE EXCEPTION '{message}'; \
         END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON customers \
             FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
    ));
}

/// A full disk lets small writes through, such as the count of tries, and says so of the others.
#[actix_web::test]
async fn a_delivery_is_tried_until_it_is_applied_where_the_disk_is_full() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let body = payload(&[person("Huy", "h@x.com")]);
    let accepted = post_for_later(&listener, &body).await.expect(202);
    // One more that counts would be the last.
    instance.db_execute("UPDATE deliveries SET attempts = 4");
    refuse_contacts(&instance, "could not extend file \"base/1/2\": No space left on device");
    let other = instance.another_with(WORKERS);
    instance.db_until("refusals WHERE last_value >= 3").await;
    assert_eq!(instance.db_count("deliveries WHERE status = 'pending'"), 1);
    instance.db_execute("DROP TRIGGER refuse ON customers");
    assert_eq!(outcome(&instance, &accepted).await["httpStatus"], 200);
    drop(other);
}

/// Whatever ends the process leaves the count of tries behind, and nothing else.
#[actix_web::test]
async fn a_delivery_that_killed_five_processes_is_given_up_and_the_next_one_applied() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let deadly = post_for_later(&listener, &payload(&[person("Huy", "h@x.com")])).await.expect(202);
    let next = post_for_later(&listener, &payload(&[person("Lan", "l@x.com")])).await.expect(202);
    let id = deadly.body["requestId"].as_str().unwrap();
    instance.db_execute(&format!("UPDATE deliveries SET attempts = 5 WHERE id = '{id}'"));
    let other = instance.another_with(WORKERS);
    assert_eq!(outcome(&instance, &next).await["httpStatus"], 200);
    let told = outcome(&instance, &deadly).await;
    assert_eq!(told["httpStatus"], 500);
    assert_eq!(told["answer"]["code"], "internal_error");
    let metrics = other.get("/metrics").await.expect(200).body.to_string();
    assert!(metrics.contains("beeiq_deliveries_given_up_total 1"), "{metrics}");
}

/// The count is there before the try, since nothing could write it afterwards.
#[actix_web::test]
async fn a_try_is_counted_before_it_begins() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    post_for_later(&listener, &payload(&[person("Huy", "h@x.com")])).await.expect(202);
    let mut locked = instance.db_connection();
    locked.batch_execute("BEGIN; LOCK TABLE customers").unwrap();
    let mut process = Process::start(&instance);
    instance.db_until_a_request_waits().await;
    process.kill();
    assert_eq!(instance.db_count("deliveries WHERE status = 'pending' AND attempts = 1"), 1);
}
