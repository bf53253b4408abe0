//! Connections as a resource of settings (`connections.md` 1 to 4).

use crate::support::{Instance, Org, Reply};
use serde_json::{Value, json};

fn merge(target: &mut Value, fields: &Value) {
    match (target, fields) {
        (Value::Object(target), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, value) => *target = value.clone(),
    }
}

/// Posts a connection of that kind with what it takes at least, and these fields.
async fn create(org: Org<'_>, kind: &str, fields: &Value) -> Reply {
    let listener = org.listener().await;
    let settings = match kind {
        "oktium" => json!({"secret": "s"}),
        "iadvize" => json!({"apiKey": "k"}),
        _ => json!({"token": "t", "server": "12", "campaignIds": ["7"]}),
    };
    let mut connection = json!({
        "kind": kind, "name": kind, "listenerId": listener.id, "senderUser": "ann@acme.test",
        "settings": settings,
    });
    merge(&mut connection, fields);
    org.post("/connections", &connection).await
}

fn path(reply: &Reply) -> String {
    format!("/connections/{}", reply.body["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_connection_reads_back_with_its_defaults_and_a_mask_for_its_secret() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "iadvize", &json!({})).await.expect(201);
    let read = acme.get(&path(&made)).await.expect(200).body;
    assert_eq!(
        read["settings"],
        json!({
            "apiKey": "********", "baseUrl": "https://www.iadvize.com/api/2", "websiteIds": [],
            "resources": ["conversations", "transactions", "satisfactions", "callmeetings"],
            "everySeconds": 300, "stage": null, "ticketForPendingCallbacks": false,
        })
    );
    for (field, expected) in [
        ("enabled", json!(true)),
        ("welcome", json!(false)),
        ("onMatch", json!("fill")),
        ("status", json!("active")),
        ("url", Value::Null),
        ("lastError", Value::Null),
        ("cursors", json!({})),
    ] {
        assert_eq!(read[field], expected, "{field}");
    }
    assert!(read["since"].is_string() && read["nextRunAt"].is_string(), "{read:#}");
    let oktium = create(acme, "oktium", &json!({})).await.expect(201).body;
    assert!(oktium["url"].as_str().is_some_and(|url| url.contains("/connections/")), "{oktium:#}");
    assert_eq!(oktium["nextRunAt"], Value::Null);
}

#[actix_web::test]
async fn what_is_wrong_with_a_connection_is_told_at_its_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let unknown = "0191d2a0-0000-7000-8000-000000000000";
    for (kind, fields, code, place) in [
        ("oktium", json!({"listenerId": unknown}), "not_found", "/listenerId"),
        ("oktium", json!({"senderUser": "eve@acme.test"}), "unknown_sender", "/senderUser"),
        ("oktium", json!({"settings": {"secret": ""}}), "required", "/settings/secret"),
        ("oktium", json!({"settings": {"secret": "********"}}), "required", "/settings/secret"),
        (
            "oktium",
            json!({"settings": {"defaultStage": "Nope"}}),
            "unknown_stage",
            "/settings/defaultStage",
        ),
        (
            "oktium",
            json!({"settings": {"stages": {"paid": "Nope"}}}),
            "unknown_stage",
            "/settings/stages/paid",
        ),
        ("oktium", json!({"settings": {"colour": 1}}), "invalid_value", "/settings"),
        (
            "iadvize",
            json!({"settings": {"everySeconds": 59}}),
            "out_of_range",
            "/settings/everySeconds",
        ),
        ("iadvize", json!({"settings": {"resources": []}}), "required", "/settings/resources"),
        (
            "iadvize",
            json!({"settings": {"baseUrl": "http://example.com"}}),
            "invalid_value",
            "/settings/baseUrl",
        ),
        (
            "iadvize",
            json!({"settings": {"baseUrl": "https://127.0.0.1"}}),
            "invalid_value",
            "/settings/baseUrl",
        ),
        ("wolkvox", json!({"settings": {"server": "a/b"}}), "invalid_value", "/settings/server"),
        (
            "wolkvox",
            json!({"settings": {"campaignIds": []}}),
            "out_of_range",
            "/settings/campaignIds",
        ),
        (
            "wolkvox",
            json!({"settings": {"fields": {"opt1": "colour"}}}),
            "invalid_choice",
            "/settings/fields/opt1",
        ),
        (
            "wolkvox",
            json!({"settings": {"fields": {"opt1": "cusFields.Nope"}}}),
            "unknown_custom_field",
            "/settings/fields/opt1",
        ),
        (
            "wolkvox",
            json!({"settings": {"fields": {"zip": "email"}}}),
            "invalid_choice",
            "/settings/fields/zip",
        ),
        (
            "wolkvox",
            json!({"settings": {"resultTags": {"SALE": " "}}}),
            "invalid_value",
            "/settings/resultTags/SALE",
        ),
    ] {
        let reply = create(acme, kind, &fields).await.expect(422);
        assert_eq!(reply.problem().1, [(code, place)], "{kind} {fields}");
    }
    assert_eq!(acme.get("/connections").await.data(), [] as [Value; 0]);
}

#[actix_web::test]
async fn the_mask_may_be_sent_back_and_the_kind_stays() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "wolkvox", &json!({})).await.expect(201);
    let changed = json!({"settings": {"token": "********", "everySeconds": 600}});
    let body = acme.patch(&path(&made), &changed).await.expect(200).body;
    assert_eq!(body["settings"]["everySeconds"], 600);
    let db_secrets = instance.db_count("connections WHERE octet_length(secret_sealed) > 0");
    assert_eq!(db_secrets, 1);
    let other = json!({"kind": "oktium", "settings": {"secret": "s"}});
    acme.patch(&path(&made), &other).await.expect(422);
}

#[actix_web::test]
async fn an_earlier_since_lets_everything_be_asked_from_there_again() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "iadvize", &json!({})).await.expect(201);
    let id = made.body["id"].as_str().unwrap();
    instance.db_execute(&format!(
        "INSERT INTO connection_cursors SELECT org_id, id, 'conversations', now() FROM connections \
         WHERE id = '{id}'"
    ));
    let read = acme.get(&path(&made)).await.body;
    assert!(read["cursors"]["conversations"].is_string(), "{read:#}");
    let earlier = json!({"since": "2020-01-01T00:00:00Z"});
    let changed = acme.patch(&path(&made), &earlier).await.expect(200).body;
    assert_eq!(
        (&changed["cursors"], &changed["since"]),
        (&json!({}), &json!("2020-01-01T00:00:00Z"))
    );
}

#[actix_web::test]
async fn a_pause_ends_when_somebody_resumes_it_or_enters_another_secret() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "iadvize", &json!({})).await.expect(201);
    let pause = "UPDATE connections SET paused_code = 'credentials_refused', failures = 3";
    instance.db_execute(pause);
    assert_eq!(acme.get(&path(&made)).await.body["status"], "paused");
    let resumed = acme.post(&format!("{}/resume", path(&made)), &json!({})).await.expect(200);
    assert_eq!(resumed.body["status"], "active");
    instance.db_execute(pause);
    let renewed = json!({"settings": {"apiKey": "another"}});
    let changed = acme.patch(&path(&made), &renewed).await.expect(200);
    assert_eq!(changed.body["status"], "active");
}

#[actix_web::test]
async fn a_sender_who_is_not_active_any_more_pauses_the_connection() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "oktium", &json!({})).await.expect(201);
    let users = acme.get("/users?limit=100").await;
    let ann = users.data().iter().find(|user| user["email"] == "ann@acme.test").unwrap();
    let ann = format!("/users/{}", ann["id"].as_str().unwrap());
    acme.patch(&ann, &json!({"active": false})).await.expect(200);
    let read = acme.get(&path(&made)).await.expect(200).body;
    assert_eq!(
        (&read["status"], &read["lastError"]["code"]),
        (&json!("paused"), &json!("unknown_sender"))
    );
}

#[actix_web::test]
async fn what_a_connection_names_cannot_be_deleted_and_a_deleted_one_takes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "oktium", &json!({})).await.expect(201);
    let listener = format!("/listeners/{}", made.body["listenerId"].as_str().unwrap());
    assert_eq!(acme.delete(&listener).await.expect(409).problem().0, "in_use");
    acme.delete(&path(&made)).await.expect(204);
    acme.delete(&listener).await.expect(204);
    let url = made.body["url"].as_str().unwrap();
    Reply::to(instance.client.post(url).body("{}")).await.expect(404);
}

#[actix_web::test]
async fn only_a_url_that_is_pushed_to_can_be_rotated() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let oktium = create(acme, "oktium", &json!({})).await.expect(201);
    let rotated = acme.post(&format!("{}/rotate", path(&oktium)), &json!({})).await.expect(200);
    assert_ne!(rotated.body["url"], oktium.body["url"]);
    let old = oktium.body["url"].as_str().unwrap();
    Reply::to(instance.client.post(old).body("{}")).await.expect(404);
    let iadvize = create(acme, "iadvize", &json!({})).await.expect(201);
    let refused = acme.post(&format!("{}/rotate", path(&iadvize)), &json!({})).await.expect(422);
    assert_eq!(refused.problem().0, "not_push");
    let run = acme.post(&format!("{}/run", path(&oktium)), &json!({})).await.expect(422);
    assert_eq!(run.problem().0, "not_pull");
}

#[actix_web::test]
async fn connections_are_the_admins_and_their_own_orgs() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = create(acme, "oktium", &json!({})).await.expect(201);
    acme.get_as("ann", "/connections").await.expect(403);
    instance.globex().get(&path(&made)).await.expect(404);
}
