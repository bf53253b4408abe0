//! Keys of programs (`api.md` 3).

use crate::support::{Instance, Org, Reply, action, person};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// A new key of that role, made by the owner: its representation with the key itself.
async fn made(org: Org<'_>, role: &str) -> Value {
    let body = json!({"name": format!("A key of {role}"), "role": role});
    org.call("owner", Method::POST, "/api-keys", Some(&body)).await.expect(201).body
}

async fn with(instance: &Instance, key: &Value, method: Method, path: &str) -> Reply {
    with_body(instance, key, method, path, None).await
}

async fn with_body(
    instance: &Instance,
    key: &Value,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Reply {
    let key = key["key"].as_str().unwrap();
    let mut request = instance.request(method, &format!("/api/v1{path}")).bearer_auth(key);
    if let Some(body) = body {
        request = request.json(body);
    }
    Reply::to(request).await
}

#[actix_web::test]
async fn a_key_is_shown_once_and_then_its_name_role_and_times() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let end = Utc::now() + TimeDelta::days(1);
    let body = json!({"name": " Nightly report ", "role": "member", "expiresAt": end});
    let reply = acme.post("/api-keys", &body).await.expect(201);
    let id = reply.body["id"].as_str().unwrap();
    let url = format!("{}/api/v1/api-keys/{id}", instance.url);
    assert_eq!(reply.header("Location"), Some(url.as_str()));
    let key = reply.body["key"].as_str().unwrap();
    assert!(key.starts_with("bk_"), "{key}");

    let mut shown = reply.body.clone();
    shown.as_object_mut().unwrap().remove("key");
    assert_eq!(shown["name"], "Nightly report");
    assert_eq!(shown["lastUsedAt"], Value::Null);
    let read = acme.get(&format!("/api-keys/{id}")).await.expect(200);
    assert_eq!(read.body, shown);
    assert!(read.header("ETag").is_some());
    assert_eq!(acme.get("/api-keys").await.expect(200).data(), [shown]);
    // A dump of the database must not be a bunch of keys.
    assert_eq!(instance.db_count("api_keys WHERE length(token_hash) = 32"), 1);

    with(&instance, &reply.body, Method::GET, "/me").await.expect(200);
    let used = acme.get(&format!("/api-keys/{id}")).await.body;
    assert!(used["lastUsedAt"].is_string(), "{used}");
}

#[actix_web::test]
async fn keys_are_listed_in_pages_newest_first() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for name in ["First", "Second", "Third"] {
        acme.post("/api-keys", &json!({"name": name, "role": "member"})).await.expect(201);
    }
    let page = acme.get("/api-keys?limit=2").await.expect(200);
    assert_eq!(page.each("name"), ["Third", "Second"]);
    let cursor = page.body["page"]["nextCursor"].as_str().unwrap();
    let last = acme.get(&format!("/api-keys?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(last.each("name"), ["First"]);
    assert_eq!(last.body["page"]["nextCursor"], Value::Null);
}

#[actix_web::test]
async fn a_key_that_cannot_be_made_tells_why() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.post("/api-keys", &json!({"name": "Report", "role": "admin"})).await.expect(201);
    let past = Utc::now() - TimeDelta::seconds(1);
    for (body, status, code, pointer) in [
        (json!({"role": "member"}), 422, "required", "/name"),
        (json!({"name": " ", "role": "member"}), 422, "required", "/name"),
        (json!({"name": "x".repeat(256), "role": "member"}), 422, "too_long", "/name"),
        (json!({"name": "x"}), 422, "required", "/role"),
        (json!({"name": "x", "role": "root"}), 422, "invalid_choice", "/role"),
        (
            json!({"name": "x", "role": "member", "expiresAt": past}),
            422,
            "out_of_range",
            "/expiresAt",
        ),
        (
            json!({"name": "x", "role": "member", "expiresAt": "soon"}),
            422,
            "invalid_value",
            "/expiresAt",
        ),
        (json!({"name": "x", "role": "member", "key": "x"}), 422, "unknown_field", "/key"),
        (json!({"name": "REPORT", "role": "member"}), 409, "name_taken", "/name"),
    ] {
        let reply = acme.post("/api-keys", &body).await.expect(status);
        assert_eq!(reply.problem().1, [(code, pointer)], "{body}");
    }
    assert_eq!(instance.db_count("api_keys"), 1);
}

#[actix_web::test]
async fn a_key_that_has_expired_or_is_deleted_is_401_at_once() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (expired, deleted) = (made(acme, "admin").await, made(acme, "member").await);
    for key in [&expired, &deleted] {
        with(&instance, key, Method::GET, "/me").await.expect(200);
    }
    let path = format!("/api-keys/{}", deleted["id"].as_str().unwrap());
    acme.delete(&path).await.expect(204);
    acme.delete(&path).await.expect(404);
    instance.db_execute("UPDATE api_keys SET expires_at = now()");
    for key in [&expired, &deleted] {
        with(&instance, key, Method::GET, "/me").await.expect(401);
        with(&instance.another(), key, Method::GET, "/contacts").await.expect(401);
    }
}

/// When the key is deleted, nobody may be left whom it let in.
#[actix_web::test]
async fn a_key_makes_no_users_sets_no_passwords_and_changes_no_roles() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let key = made(acme, "owner").await;
    let bob = acme.get("/users?email=bob@acme.test").await.expect(200);
    let bob = format!("/users/{}", bob.each("id")[0]);
    let password = format!("{bob}/password");
    for (method, path, body) in [
        (Method::POST, "/users", json!({"email": "lan@acme.test"})),
        (Method::POST, &*password, json!({"password": "another good one"})),
        (Method::PATCH, &*bob, json!({"role": "admin"})),
    ] {
        let reply = with_body(&instance, &key, method.clone(), path, Some(&body)).await.expect(403);
        assert_eq!(reply.problem().0, "forbidden", "{method} {path}");
    }
    for (active, status) in [(false, 200), (true, 403)] {
        let body = json!({"active": active});
        with_body(&instance, &key, Method::PATCH, &bob, Some(&body)).await.expect(status);
    }
}

/// A key has no user: the API says so rather than show somebody else.
#[actix_web::test]
async fn a_key_is_shown_itself_and_has_no_session() {
    let instance = Instance::start().await;
    let key = made(instance.acme(), "admin").await;
    let me = with(&instance, &key, Method::GET, "/me").await.expect(200).body;
    assert_eq!(me["user"], Value::Null);
    assert_eq!(me["apiKey"], json!({"id": key["id"], "name": "A key of admin", "role": "admin"}));
    assert_eq!(me["org"]["slug"], "acme");
    let refused = with(&instance, &key, Method::DELETE, "/sessions/current").await.expect(403);
    assert_eq!(refused.problem().0, "forbidden");
}

/// An expired key could live on in one that it made.
#[actix_web::test]
async fn a_key_makes_no_keys() {
    let instance = Instance::start().await;
    let key = made(instance.acme(), "owner").await;
    let body = json!({"name": "Another", "role": "member"});
    with_body(&instance, &key, Method::POST, "/api-keys", Some(&body)).await.expect(403);
    with(&instance, &key, Method::GET, "/api-keys").await.expect(200);
}

#[actix_web::test]
async fn an_admin_makes_and_deletes_no_key_of_an_owner() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let body = json!({"name": "Mine", "role": "owner"});
    acme.post("/api-keys", &body).await.expect(403);
    let key = made(acme, "owner").await;
    let path = format!("/api-keys/{}", key["id"].as_str().unwrap());
    acme.delete(&path).await.expect(403);
    with(&instance, &made(acme, "admin").await, Method::DELETE, &path).await.expect(403);
    with(&instance, &key, Method::DELETE, &path).await.expect(204);
}

#[actix_web::test]
async fn keys_are_for_owner_and_admins_alone() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let key = made(acme, "member").await;
    let one = format!("/api-keys/{}", key["id"].as_str().unwrap());
    let body = json!({"name": "x", "role": "member"});
    for (method, path) in [
        (Method::GET, "/api-keys"),
        (Method::POST, "/api-keys"),
        (Method::GET, one.as_str()),
        (Method::DELETE, one.as_str()),
    ] {
        acme.call("ann", method.clone(), path, Some(&body)).await.expect(403);
        with_body(&instance, &key, method.clone(), path, Some(&body)).await.expect(403);
        let theirs = instance.globex().call("owner", method.clone(), path, Some(&body)).await;
        assert_eq!(theirs.status == 404, path == one, "{method} {path}: {}", theirs.body);
    }
}

#[actix_web::test]
async fn a_key_has_the_rights_of_its_role() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (member, admin) = (made(acme, "member").await, made(acme, "admin").await);
    let body = json!({"name": "By a program"});
    with_body(&instance, &member, Method::POST, "/listeners", Some(&body)).await.expect(403);
    with_body(&instance, &admin, Method::POST, "/listeners", Some(&body)).await.expect(201);
    with(&instance, &admin, Method::GET, "/listeners").await.expect(200);
}

/// A member's key is nobody: neither owner nor in a group, and named by no permit.
#[actix_web::test]
async fn a_members_key_reads_what_everybody_may_read() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let permits = [
        json!({"status": 1}),
        json!({"status": 2}),
        json!({"status": 3, "group": "Sales"}),
        json!({"status": 4, "users": ["bob@acme.test"]}),
    ];
    for (number, permit) in (1..).zip(&permits) {
        let email = format!("{number}@x.com");
        let mut actions = vec![person("Huy", &email)];
        actions[0]["data"]["permit"] = permit.clone();
        actions.push(action("add-lead", json!({"name": "Lan", "permit": permit})));
        actions.push(action(
            "add-deal",
            json!({
                "name": format!("Deal {number}"), "stage": "New", "permit": permit,
                "dealWith": {"emails": [{"value": email}]},
            }),
        ));
        actions
            .push(action("add-note", json!({"email": email, "body": "A note", "permit": permit})));
        listener.send(&actions).await.expect(200);
    }
    let ticket = json!({"email": "1@x.com", "body": "Of Sales", "groupName": "Sales"});
    listener.act("add-ticket", ticket).await.expect(200);
    listener.act("add-ticket", json!({"email": "1@x.com", "body": "Of all"})).await.expect(200);

    let (member, admin) = (made(acme, "member").await, made(acme, "admin").await);
    for list in ["/contacts", "/leads", "/deals", "/notes", "/tickets"] {
        let seen = with(&instance, &member, Method::GET, list).await.expect(200);
        assert_eq!(seen.data().len(), 1, "{list}: {:#}", seen.body);
        let permit = &seen.data()[0]["permit"]["status"];
        assert!(permit == 1 || list == "/tickets", "{list}: {permit}");
        let all = with(&instance, &admin, Method::GET, list).await.expect(200);
        assert!(all.data().len() > 1, "{list}: {:#}", all.body);
    }
    with(&instance, &member, Method::GET, "/contacts/PID-1").await.expect(200);
    with(&instance, &member, Method::GET, "/contacts/PID-2").await.expect(404);
}

#[actix_web::test]
async fn the_audit_log_tells_who_made_and_who_deleted_a_key_and_never_the_key() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (deleted, admin) = (made(acme, "member").await, made(acme, "admin").await);
    let path = format!("/api-keys/{}", deleted["id"].as_str().unwrap());
    with(&instance, &admin, Method::DELETE, &path).await.expect(204);
    let id = deleted["id"].as_str().unwrap();
    let about = format!("audit_log WHERE resource = 'api-keys' AND resource_id = '{id}'");
    let created = format!(
        "{about} AND action = 'created' AND actor_name = 'owner@acme.test' \
         AND api_key_id IS NULL AND actor_id IS NOT NULL AND host(address) = '127.0.0.1'"
    );
    assert_eq!(instance.db_count(&created), 1);
    let ended = format!(
        "{about} AND action = 'deleted' AND actor_name = 'A key of admin' \
         AND api_key_id = '{}' AND actor_id IS NULL",
        admin["id"].as_str().unwrap()
    );
    assert_eq!(instance.db_count(&ended), 1);
    assert_eq!(instance.db_count("audit_log WHERE changes::text LIKE '%bk_%'"), 0);
}
