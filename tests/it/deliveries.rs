//! What came in, and running it again (`listener.md` 9, `api.md` 4).

use crate::support::{Instance, Org, Reply, action, payload, person};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn deal(name: &str, stage: &str) -> Value {
    let with =
        json!({"name": name, "emails": [{"value": format!("{}@x.com", name.replace(' ', "."))}]});
    action("add-deal", json!({"name": name, "stage": stage, "dealWith": with}))
}

async fn replay(acme: Org<'_>, id: &str, only: &str) -> Reply {
    acme.post(&format!("/deliveries/{id}/replay"), &json!({"only": only})).await
}

fn id_of(reply: &Reply) -> String {
    reply.body["requestId"].as_str().unwrap().to_owned()
}

/// As an admin does when the answer says `unknown_stage`.
fn db_add_stage(instance: &Instance, name: &str) {
    instance.db_execute(&format!(
        "INSERT INTO picklist_entries (org_id, id, list, name, name_key, position, created_at, updated_at) \
         SELECT id, gen_random_uuid(), 'deal_stage', '{name}', lower('{name}'), 9, now(), now() FROM orgs; \
         UPDATE org_settings SET directory_version = directory_version + 1"
    ));
}

#[actix_web::test]
async fn a_list_is_narrowed_by_listener_status_time_and_what_was_touched() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (form, shop) = (acme.listener().await, acme.listener().await);
    let huy = id_of(
        &form
            .send(&[
                person("Huy", "h@x.com"),
                action("add-note", json!({"body": "x", "email": "h@x.com"})),
            ])
            .await
            .expect(200),
    );
    let bob = id_of(
        &shop
            .act_as("bob", "add-ticket", json!({"body": "x", "email": "h@x.com"}))
            .await
            .expect(200),
    );
    let deals = id_of(&shop.send(&[deal("One", "New"), deal("Two", "nowhere")]).await.expect(207));
    let failed = id_of(&form.send(&[deal("Three", "nowhere")]).await.expect(422));
    let broken = form.post_bytes("", b"{".to_vec(), &[]).await.expect(400);
    let broken = id_of(&broken);
    let at = acme.get(&format!("/deliveries/{bob}")).await.body["receivedAt"]
        .as_str()
        .unwrap()
        .to_owned();
    for (query, found) in [
        (String::new(), vec![&broken, &failed, &deals, &bob, &huy]),
        (format!("listener={}", form.id), vec![&broken, &failed, &huy]),
        ("status=succeeded".to_owned(), vec![&bob, &huy]),
        ("status=partial".to_owned(), vec![&deals]),
        ("status=failed".to_owned(), vec![&failed]),
        ("status=rejected".to_owned(), vec![&broken]),
        ("status=pending".to_owned(), vec![]),
        (format!("from={at}"), vec![&broken, &failed, &deals, &bob]),
        (format!("to={at}"), vec![&bob, &huy]),
        (format!("q={huy}"), vec![&huy]),
        ("q=BOB@".to_owned(), vec![&bob]),
        ("q=pid-1".to_owned(), vec![&bob, &huy]),
        ("q=TID-1".to_owned(), vec![&bob]),
        ("q=PID-9".to_owned(), vec![]),
        ("q=nothing".to_owned(), vec![]),
    ] {
        let page = acme.get(&format!("/deliveries?{query}")).await.expect(200);
        assert_eq!(
            page.each("id"),
            found.into_iter().map(String::as_str).collect::<Vec<_>>(),
            "{query}"
        );
    }
    for query in ["status=done", "listener=x", "from=today", "who=me"] {
        acme.get(&format!("/deliveries?{query}")).await.expect(422);
    }
}

#[actix_web::test]
async fn one_delivery_shows_caller_headers_body_and_answer_and_no_secret() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let body = payload(&[person("Huy", "h@x.com")]).to_string();
    let headers = [("x-api-key", "hunter2"), ("x-shop", "7"), ("user-agent", "a shop/7")];
    let reply =
        listener.post_bytes("?utm=1", body.clone().into_bytes(), &headers).await.expect(200);
    let shown = acme.get(&format!("/deliveries/{}", id_of(&reply))).await.expect(200).body;
    assert_eq!(shown["body"], json!(body));
    assert_eq!(shown["answer"], reply.body);
    assert_eq!(shown["headers"]["user-agent"], "a shop/7");
    assert!(shown["headers"].get("x-shop").is_none(), "it may be anything");
    assert_eq!(shown["caller"], "127.0.0.1");
    assert_eq!(shown["query"], "utm=1");
    assert_eq!(shown["httpStatus"], 200);
    assert!(shown["durationMs"].is_i64());
    assert!(!shown.to_string().contains("hunter2"));
    let latin = listener.post_bytes("", vec![0xff], &[]).await.expect(400);
    let shown = acme.get(&format!("/deliveries/{}", id_of(&latin))).await.expect(200).body;
    assert_eq!((&shown["body"], &shown["bodyEncoding"]), (&json!("/w=="), &json!("base64")));
}

#[actix_web::test]
async fn ten_actions_that_failed_for_want_of_a_stage_are_applied_by_a_replay_and_only_once() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let mut actions = vec![
        person("Huy", "h@x.com"),
        action("add-note", json!({"body": "x", "email": "h@x.com"})),
    ];
    actions.extend((0..10).map(|n| deal(&format!("Deal {n}"), "Tasting")));
    let id = id_of(&listener.send(&actions).await.expect(207));
    let still = replay(acme, &id, "failed").await.expect(200);
    assert_eq!(still.body["summary"]["failed"], 10);

    db_add_stage(&instance, "Tasting");
    let mended = replay(acme, &id, "failed").await.expect(200);
    assert_eq!(mended.statuses(), ["created"; 10]);
    let indices: Vec<u64> = (0..10).map(|n| mended.result(n)["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, (2..12).collect::<Vec<_>>());
    let counts = || {
        ["deals", "customers", "notes", "history", "deliveries"]
            .map(|table| instance.db_count(table))
    };
    let after = counts();
    assert_eq!(after[..3], [10, 11, 1]);

    let again = replay(acme, &id, "failed").await.expect(200);
    assert_eq!(again.body["results"], json!([]));
    assert_eq!(counts(), after);
    let shown = acme.get(&format!("/deliveries/{id}")).await.expect(200).body;
    assert_eq!((&shown["status"], &shown["unresolved"]), (&json!("partial"), &json!(0)));
    assert_eq!(shown["replays"].as_array().unwrap().len(), 2);
    let replayed = acme.get(&format!("/deliveries/{}", id_of(&mended))).await.expect(200).body;
    assert_eq!(replayed["replayOf"], json!(id));
}

#[actix_web::test]
async fn replays_at_the_same_time_apply_an_action_once() {
    let instance = Instance::start().await;
    let other = instance.another();
    let acme = instance.acme();
    let listener = acme.listener().await;
    let id =
        id_of(&listener.send(&[deal("One", "Tasting"), deal("Two", "Tasting")]).await.expect(422));
    db_add_stage(&instance, "Tasting");
    let both = [acme, other.acme()];
    let replies = join_all((0..8).map(|n| replay(both[n % 2], &id, "failed"))).await;
    let mut applied = 0;
    for reply in replies {
        applied += reply.expect(200).statuses().len();
    }
    assert_eq!(applied, 2);
    assert_eq!(instance.db_count("deals"), 2);
}

#[actix_web::test]
async fn a_replay_of_all_makes_no_note_ticket_or_message_twice() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let actions = [
        action("add-contact", json!({"name": "Huy", "phones": [{"value": "0905000001"}]})),
        action("add-note", json!({"body": "x", "phone": "0905000001"})),
        action("add-ticket", json!({"body": "x", "phone": "0905000001"})),
        action("send-sms", json!({"content": "x", "phones": ["0905000001"]})),
        action(
            "add-deal",
            json!({"name": "One", "stage": "New", "dealWith": {"phones": [{"value": "0905000001"}]}}),
        ),
    ];
    let id = id_of(&listener.send(&actions).await.expect(200));
    let again = replay(acme, &id, "all").await.expect(200);
    assert_eq!(again.statuses(), ["unchanged"]);
    let left_out: Vec<&str> = again.body["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(left_out, ["/data/0", "/data/1", "/data/2", "/data/3"]);
    for table in ["notes", "tickets", "outbox", "deals"] {
        assert_eq!(instance.db_count(table), 1, "{table}");
    }
    instance.db_execute("DELETE FROM notes");
    let again = replay(acme, &id, "all").await.expect(200);
    assert_eq!(again.statuses(), ["created", "unchanged"]);
}

/// The admin added the sender that was missing.
#[actix_web::test]
async fn a_delivery_with_a_wrong_envelope_is_replayed_whole() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let mut body = payload(&[person("Huy", "h@x.com")]);
    body["senderUser"] = json!("new@acme.test");
    let id = id_of(&listener.post(&body).await.expect(422));
    let still = replay(acme, &id, "failed").await.expect(422);
    assert_eq!(still.problem().0, "unknown_sender");
    instance.db_execute(
        "UPDATE users SET email = 'new@acme.test', email_key = 'new@acme.test' WHERE email = 'bob@acme.test'; \
         UPDATE org_settings SET directory_version = directory_version + 1",
    );
    assert_eq!(replay(acme, &id, "failed").await.expect(200).statuses(), ["created"]);
    assert_eq!(replay(acme, &id, "failed").await.expect(200).statuses(), [""; 0]);
}

#[actix_web::test]
async fn many_are_replayed_by_a_filter_oldest_first_page_by_page() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (form, shop) = (acme.listener().await, acme.listener().await);
    let mut ids = Vec::new();
    for name in ["One", "Two", "Three"] {
        ids.push(id_of(&form.send(&[deal(name, "Tasting")]).await.expect(422)));
    }
    shop.send(&[deal("Four", "Tasting")]).await.expect(422);
    form.send(&[person("Huy", "h@x.com")]).await.expect(200);
    db_add_stage(&instance, "Tasting");
    let mut replayed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/deliveries/replay?listener={}&limit=2{cursor}", form.id);
        let page = acme.post(&path, &json!({"only": "failed"})).await.expect(200);
        for one in page.data() {
            assert_eq!(one["httpStatus"], 200);
            assert_eq!(one["answer"]["results"][0]["status"], "created");
        }
        replayed.extend(page.each("id").into_iter().map(str::to_owned));
        let Some(next) = page.body["page"]["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(replayed, ids);
    assert_eq!(instance.db_count("deals"), 3);
}

#[actix_web::test]
async fn what_cannot_be_run_again_is_told_so() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let body = payload(&[]).to_string().into_bytes();
    let pending = listener.post_bytes("", body, &[("prefer", "respond-async")]).await.expect(202);
    assert_eq!(
        replay(acme, &id_of(&pending), "all").await.expect(409).problem().0,
        "still_pending"
    );
    let encoded =
        listener.post_bytes("", b"x".to_vec(), &[("content-encoding", "gzip")]).await.expect(415);
    replay(acme, &id_of(&encoded), "all").await.expect(400);
    let huy = id_of(&listener.send(&[person("Huy", "h@x.com")]).await.expect(200));
    acme.delete(&listener.path()).await.expect(204);
    replay(acme, &huy, "all").await.expect(404);
    replay(acme, "0199f3c2-0000-7000-8000-000000000001", "all").await.expect(404);
    let wrong =
        acme.post(&format!("/deliveries/{huy}/replay"), &json!({"only": "some"})).await.expect(422);
    assert_eq!(wrong.problem().1[0].1, "/only");
}

#[actix_web::test]
async fn deliveries_are_for_owner_and_admins_of_their_org() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let id = id_of(&acme.listener().await.send(&[person("Huy", "h@x.com")]).await.expect(200));
    let only = json!({"only": "all"});
    for (method, path, body) in [
        (Method::GET, "/deliveries".to_owned(), None),
        (Method::GET, format!("/deliveries/{id}"), None),
        (Method::POST, format!("/deliveries/{id}/replay"), Some(&only)),
        (Method::POST, "/deliveries/replay".to_owned(), Some(&only)),
    ] {
        acme.call("ann", method, &path, body).await.expect(403);
    }
    let globex = instance.globex();
    assert!(globex.get("/deliveries").await.expect(200).data().is_empty());
    globex.get(&format!("/deliveries/{id}")).await.expect(404);
    replay(globex, &id, "all").await.expect(404);
}
