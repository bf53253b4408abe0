//! Running deliveries again doubles nothing, and has the room that there is (`listener.md` 2, 9,
//! `api.md` 4).

use crate::support::{ANN, Instance, Listener, Reply, action, payload};
use diesel::connection::SimpleConnection;
use futures_util::future::select;
use serde_json::{Value, json};

/// Of most of these nothing tells a second run from a new request.
fn not_told_apart() -> Vec<Value> {
    vec![
        action("add-contact", json!({"name": "Huy"})),
        action("add-contact", json!({"name": "Shop", "type": 1})),
        action("add-lead", json!({"name": "Lan"})),
        action(
            "add-deal",
            json!({"dealId": "D1", "name": "Order", "stage": "New",
            "dealWith": {"name": "Minh", "contactId": "m-1"},
            "contacts": [{"name": "Mai", "contactId": "m-2"}]}),
        ),
        action("add-ticket", json!({"body": "x", "name": "Tam", "email": "tam@x.com"})),
    ]
}

async fn post(listener: &Listener<'_>, key: &str, body: &Value) -> Reply {
    let body = body.to_string().into_bytes();
    listener.post_bytes("", body, &[("idempotency-key", key)]).await
}

async fn replay(instance: &Instance, id: &str, only: &str) -> Reply {
    instance.acme().post(&format!("/deliveries/{id}/replay"), &json!({"only": only})).await
}

async fn replay_many(instance: &Instance, query: &str, only: &str) -> Reply {
    instance.acme().post(&format!("/deliveries/replay{query}"), &json!({"only": only})).await
}

fn id_of(reply: &Reply) -> &str {
    reply.body["requestId"].as_str().unwrap()
}

/// Somebody new may send.
fn db_add_sender(instance: &Instance) {
    instance.db_execute(
        "UPDATE users SET email = 'new@acme.test', email_key = 'new@acme.test' WHERE email = 'bob@acme.test'; \
         UPDATE org_settings SET directory_version = directory_version + 1",
    );
}

#[actix_web::test]
async fn a_retry_that_was_refused_while_the_first_was_running_is_not_run_again() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let huy = json!({"name": "Huy", "contactId": "huy"});
    listener.act("add-contact", huy).await.expect(200);
    let note = payload(&[action("add-note", json!({"body": "x", "contactId": "huy"}))]);
    // While the customer is locked the first one runs.
    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; SELECT FROM customers FOR UPDATE").unwrap();
    let both = [post(&listener, "k1", &note), post(&listener, "k1", &note)].map(Box::pin);
    let [one, other] = both;
    let (retry, first) = select(one, other).await.factor_first();
    lock.batch_execute("ROLLBACK").unwrap();
    first.await.expect(200);
    let retry = retry.expect(409);

    assert_eq!(replay_many(&instance, "", "failed").await.expect(200).data(), [] as [Value; 0]);
    let all = replay_many(&instance, "", "all").await.expect(200);
    assert!(!all.each("id").contains(&id_of(&retry)), "{:#}", all.body);
    for only in ["failed", "all"] {
        let refused = replay(&instance, id_of(&retry), only).await.expect(409);
        assert_eq!(refused.problem().0, "not_replayable");
    }
    assert_eq!(instance.db_count("notes"), 1);
}

#[actix_web::test]
async fn what_was_mended_and_sent_again_under_its_key_is_not_run_again() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let mut wrong = payload(&not_told_apart());
    wrong["senderUser"] = json!("new@acme.test");
    let rejected = post(&listener, "k1", &wrong).await.expect(422);
    let mended = post(&listener, "k1", &payload(&not_told_apart())).await.expect(200);
    let customers = instance.db_count("customers");
    db_add_sender(&instance);
    let alone = replay(&instance, id_of(&rejected), "failed").await.expect(409);
    let many = replay_many(&instance, "", "failed").await.expect(200);
    assert_eq!(many.each("id"), [id_of(&rejected)]);
    assert_eq!(many.data()[0]["httpStatus"], 409);
    for problem in [&alone.body, &many.data()[0]["answer"]] {
        assert_eq!(problem["code"], "not_replayable");
        assert!(problem["detail"].as_str().unwrap().contains(id_of(&mended)), "{problem:#}");
    }
    assert_eq!(instance.db_count("customers"), customers);
}

#[actix_web::test]
async fn what_was_rejected_under_a_key_that_nothing_was_applied_under_is_run_and_once() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let mut body = payload(&not_told_apart());
    body["senderUser"] = json!("new@acme.test");
    let rejected = post(&listener, "k1", &body).await.expect(422);
    db_add_sender(&instance);
    let replayed = replay(&instance, id_of(&rejected), "failed").await.expect(200);
    assert_eq!(replayed.statuses(), ["created"; 5]);
    let again = replay(&instance, id_of(&rejected), "failed").await.expect(200);
    assert_eq!(again.statuses(), [""; 0]);
}

/// Its key is its own, though it was rejected when its turn came.
#[actix_web::test]
async fn what_was_taken_for_later_under_a_key_and_then_rejected_is_run() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"mode": "async"})).await;
    let mut body = payload(&not_told_apart());
    body["senderUser"] = json!("bob@acme.test");
    let taken = post(&listener, "k1", &body).await.expect(202);
    let set_active = |active: bool| {
        instance.db_execute(&format!(
            "UPDATE users SET active = {active} WHERE email = 'bob@acme.test'; \
             UPDATE org_settings SET directory_version = directory_version + 1"
        ));
    };
    set_active(false);
    let _other = instance.another_with(&["--later-workers", "2"]);
    instance.db_until("deliveries WHERE status = 'rejected'").await;
    set_active(true);
    let replayed = replay(&instance, id_of(&taken), "failed").await.expect(200);
    assert_eq!(replayed.statuses(), ["created"; 5]);
}

#[actix_web::test]
async fn a_replay_of_all_makes_nobody_twice_who_is_found_by_nothing() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let first = listener.send(&not_told_apart()).await.expect(200);
    let (id, customers) = (id_of(&first), instance.db_count("customers"));
    let again = replay(&instance, id, "all").await.expect(200);
    assert_eq!(again.statuses(), [""; 0]);
    let warnings = again.body["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|warning| warning["code"] == "already_applied"), "{warnings:#?}");
    assert_eq!(warnings.len(), 5);
    assert_eq!(instance.db_count("customers"), customers);

    instance.db_execute("DELETE FROM customers WHERE name = 'Huy'");
    for statuses in [vec!["created"], vec![]] {
        let again = replay(&instance, id, "all").await.expect(200);
        assert_eq!(again.statuses(), statuses);
    }
    assert_eq!(instance.db_count("customers"), customers);
}

/// A body that is run again takes as much memory as one that has just come.
#[actix_web::test]
async fn where_there_is_no_room_a_replay_is_503_and_of_many_the_page_ends_early() {
    let flags = ["--max-body-bytes", "1000000", "--max-inflight-bytes", "2000000"];
    let instance = Instance::with(&flags).await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let failing = |n: usize| action("add-deal", json!({"name": format!("{n}"), "stage": "none"}));
    let small = listener.send(&[failing(1)]).await.expect(422);
    let large = format!("{}{}", payload(&[failing(2)]), " ".repeat(900_000)).into_bytes();
    let large = listener.post_bytes("", large, &[]).await.expect(422);
    // A body that is being read has taken most of the org's share.
    let org = acme.get("/me").await.expect(200).body["org"]["id"].as_str().unwrap().parse();
    let mut held = instance.app.capacity.hold(org.unwrap()).unwrap();
    held.grow(990_000).unwrap();

    let refused = replay(&instance, id_of(&large), "failed").await.expect(503);
    assert_eq!(refused.problem().0, "overloaded");
    assert!(refused.header("retry-after").is_some());
    let page = replay_many(&instance, "", "failed").await.expect(200);
    assert_eq!(page.each("id"), [id_of(&small)]);
    let rest = format!("?cursor={}", page.body["page"]["nextCursor"].as_str().unwrap());
    let refused = replay_many(&instance, &rest, "failed").await.expect(503);
    assert!(refused.header("retry-after").is_some());
    drop(held);
    let page = replay_many(&instance, &rest, "failed").await.expect(200);
    assert_eq!(page.each("id"), [id_of(&large)]);
    assert_eq!(page.body["page"]["nextCursor"], json!(null));
    assert_eq!(instance.db_delivery(id_of(&large)).sender_user.as_deref(), Some(ANN));
}
