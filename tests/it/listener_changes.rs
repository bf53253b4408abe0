//! What a change of a listener does to its callers: at once, and on every server (`listener.md` 2).

use crate::support::{Instance, Listener, Reply, payload, person};
use serde_json::{Value, json};

/// A change of a listener that closes it to the callers it had.
#[derive(Clone, Copy, Debug)]
enum Closing {
    Rotated,
    Deleted,
    Disabled,
    Narrowed,
}

impl Closing {
    const ALL: [Self; 4] = [Self::Rotated, Self::Deleted, Self::Disabled, Self::Narrowed];

    async fn close(self, listener: &Listener<'_>) {
        let (org, path) = (listener.org, listener.path());
        match self {
            Self::Rotated => org.post(&format!("{path}/rotate"), &json!({})).await.expect(200),
            Self::Deleted => org.delete(&path).await.expect(204),
            Self::Disabled => org.patch(&path, &json!({"enabled": false})).await.expect(200),
            Self::Narrowed => org.patch(&path, &json!({"allowedIps": ["::1"]})).await.expect(200),
        };
    }

    const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Rotated | Self::Deleted => (404, "not_found"),
            Self::Disabled => (410, "listener_disabled"),
            Self::Narrowed => (403, "address_not_allowed"),
        }
    }
}

/// What a retry is recognised by.
const KEY: (&str, &str) = ("Idempotency-Key", "one");

/// Posts with such headers.
async fn post_from(listener: &Listener<'_>, headers: &[(&str, &str)]) -> Reply {
    listener.post_bytes("", payload(&[]).to_string().into_bytes(), headers).await
}

#[actix_web::test]
async fn a_closed_listener_refuses_and_keeps_nothing() {
    let instance = Instance::start().await;
    for closing in Closing::ALL {
        let listener = instance.acme().listener().await;
        closing.close(&listener).await;
        let reply = listener.send(&[person("Huy", "h@x.com")]).await;
        assert_eq!((reply.status, reply.problem().0), closing.answer(), "{closing:?}");
        assert_eq!(reply.header("Content-Type"), Some("application/problem+json"));
    }
    assert_eq!(instance.db_count("deliveries"), 0);
    assert_eq!(instance.db_count("customers"), 0);
}

/// Each server has the listener in its memory. One that looked there alone would go on taking
/// payloads, or keep bodies that it refuses, until it is told.
#[actix_web::test]
async fn another_server_refuses_a_closed_listener_on_the_first_request() {
    let instance = Instance::start().await;
    let there = instance.another();
    let good = payload(&[person("Huy", "h@x.com")]).to_string();
    let requests = [
        ("", good.as_str(), None),
        ("?dryRun=true", &good, None),
        ("?dryRun=perhaps", &good, None),
        ("", "not json", None),
        ("", r#"{"senderUser": "nobody@acme.test"}"#, None),
        ("", &good, Some(("Content-Encoding", "gzip"))),
        ("", &good, Some(KEY)),
    ];
    for closing in Closing::ALL {
        for (query, body, header) in requests {
            let here = instance.acme().listener().await;
            let listener = here.on(&there);
            listener.post_bytes("", good.clone().into_bytes(), &[KEY]).await.expect(200);
            let kept = instance.db_count("deliveries");
            closing.close(&here).await;
            let reply = listener.post_bytes(query, body.into(), header.as_slice()).await;
            let told = (reply.status, reply.problem().0);
            assert_eq!(told, closing.answer(), "{closing:?} {query} {body} {header:?}");
            assert_eq!(instance.db_count("deliveries"), kept, "{closing:?} {query} {body}");
        }
    }
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn another_server_takes_what_is_opened_on_the_first_request() {
    let instance = Instance::start().await;
    let there = instance.another();
    let acme = instance.acme();
    for (closed, answer) in
        [(json!({"enabled": false}), 410), (json!({"allowedIps": ["192.0.2.0/24"]}), 403)]
    {
        let here = acme.listener_with(closed).await;
        here.on(&there).send(&[]).await.expect(answer);
        let opened = json!({"enabled": true, "allowedIps": ["127.0.0.1"]});
        acme.patch(&here.path(), &opened).await.expect(200);
        here.on(&there).send(&[]).await.expect(200);
    }
    let old = acme.listener().await;
    old.on(&there).send(&[]).await.expect(200);
    let body = acme.post(&format!("{}/rotate", old.path()), &json!({})).await.expect(200).body;
    let new = Listener { url: body["url"].as_str().unwrap().to_owned(), ..old.clone() };
    new.on(&there).send(&[]).await.expect(200);
}

#[actix_web::test]
async fn another_server_applies_new_defaults_on_the_first_request() {
    let instance = Instance::start().await;
    let there = instance.another();
    let acme = instance.acme();
    let here = acme.listener_with(json!({"defaultTag": "old"})).await;
    here.on(&there).send(&[person("A", "a@x.com")]).await.expect(200);
    let changed = json!({"defaultTag": "new", "contactSource": "Zalo"});
    acme.patch(&here.path(), &changed).await.expect(200);
    here.on(&there).send(&[person("B", "b@x.com")]).await.expect(200);
    let contact = acme.get("/contacts?name=B").await.data()[0].clone();
    assert_eq!((&contact["tags"], &contact["source"]), (&json!(["new"]), &json!("Zalo")));
}

/// A server that refused by its memory would not know a user who has just been added.
#[actix_web::test]
async fn another_server_knows_a_new_sender_on_the_first_request() {
    let instance = Instance::start().await;
    let there = instance.another();
    let listener = instance.acme().listener().await.on(&there);
    instance.db_execute("UPDATE users SET active = false WHERE email = 'ann@acme.test'");
    listener.send(&[]).await.expect(422);
    // As whoever changes users does, within the same transaction.
    instance.db_execute(
        "BEGIN; UPDATE users SET active = true WHERE email = 'ann@acme.test'; \
         UPDATE org_settings SET directory_version = directory_version + 1; COMMIT",
    );
    listener.send(&[]).await.expect(200);
}

/// Different words would tell which URLs there once were.
#[actix_web::test]
async fn malformed_unknown_rotated_and_deleted_tokens_are_refused_in_the_same_words() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (rotated, deleted) = (acme.listener().await, acme.listener().await);
    let good = acme.listener().await;
    Closing::Rotated.close(&rotated).await;
    Closing::Deleted.close(&deleted).await;
    let (base, token) = good.url.rsplit_once('/').unwrap();
    let (org, secret) = token.split_once('.').unwrap();
    let theirs = instance.globex().listener().await;
    let other_org = theirs.url.rsplit_once('/').unwrap().1.split_once('.').unwrap().0;
    let mut refused: Option<Value> = None;
    for url in [
        rotated.url.clone(),
        deleted.url.clone(),
        format!("{base}/x"),
        format!("{base}/%00"),
        format!("{base}/{org}.{}", "A".repeat(43)),
        format!("{base}/000000000000.{secret}"),
        format!("{base}/{other_org}.{secret}"),
        format!("{base}/{token}x"),
        format!("{base}/{}", token.to_uppercase()),
        format!("{base}/bs_{token}"),
    ] {
        let listener = Listener { url: url.clone(), ..good.clone() };
        let body = listener.send(&[]).await.expect(404).body_but_request_id();
        assert_eq!(*refused.get_or_insert_with(|| body.clone()), body, "{url}");
    }
    assert_eq!(instance.db_count("deliveries"), 0);
}

#[actix_web::test]
async fn the_address_is_asked_before_whether_it_is_enabled() {
    let instance = Instance::start().await;
    let closed = json!({"enabled": false, "allowedIps": ["::1"]});
    let listener = instance.acme().listener_with(closed).await;
    listener.send(&[]).await.expect(403);
}

#[actix_web::test]
async fn a_listener_takes_what_comes_from_its_addresses() {
    let instance = Instance::start().await;
    for (allowed, answer) in [
        (json!([]), 200),
        (json!(["127.0.0.1"]), 200),
        (json!(["192.0.2.7", "127.0.0.0/8"]), 200),
        (json!(["::ffff:127.0.0.1"]), 200),
        (json!(["0.0.0.0/0"]), 200),
        (json!(["127.0.0.2"]), 403),
        (json!(["::/0"]), 403),
    ] {
        let listener = instance.acme().listener_with(json!({"allowedIps": allowed})).await;
        let reply = listener.send(&[]).await;
        assert_eq!(reply.status, answer, "{allowed}");
    }
    assert_eq!(instance.db_count("deliveries WHERE caller = '127.0.0.1'"), 5);
    assert_eq!(instance.db_count("deliveries"), 5);
}

/// Anybody can write the header: believed from everybody it would open every listener.
#[actix_web::test]
async fn who_is_no_trusted_proxy_is_not_believed() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"allowedIps": ["203.0.113.9"]})).await;
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        post_from(&listener, &[(header, "203.0.113.9")]).await.expect(403);
    }
    assert_eq!(instance.db_count("deliveries"), 0);
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_address_that_it_names_counts() {
    let instance = Instance::with(&["--trusted-proxies", "127.0.0.0/8"]).await;
    let listener = instance.acme().listener_with(json!({"allowedIps": ["203.0.113.9"]})).await;
    for (forwarded, answer) in [
        ("203.0.113.9", 200),
        // What the client itself wrote stands in front.
        ("198.51.100.1, 203.0.113.9", 200),
        ("203.0.113.9, 198.51.100.1", 403),
        ("203.0.113.9, 127.0.0.5", 200),
        ("203.0.113.9, unknown", 403),
        ("", 403),
    ] {
        let reply = post_from(&listener, &[("X-Forwarded-For", forwarded)]).await;
        assert_eq!(reply.status, answer, "{forwarded}: {}", reply.body);
    }
    post_from(&listener, &[]).await.expect(403);
    assert_eq!(instance.db_count("deliveries WHERE caller = '203.0.113.9'"), 3);
    assert_eq!(instance.db_count("deliveries"), 3);
}
