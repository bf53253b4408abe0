//! `Idempotency-Key`: a retry that does not do twice (`listener.md` 2).

use crate::support::{Instance, Listener, Process, Reply, payload, person};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn post(listener: &Listener<'_>, key: &str, query: &str, body: &Value) -> Reply {
    let body = body.to_string().into_bytes();
    listener.post_bytes(query, body, &[("idempotency-key", key)]).await
}

/// A note in the history tells an action that was applied twice from one that was not.
fn duplicate_of_ann() -> Value {
    payload(&[person("Ann", "a@x.com")])
}

#[actix_web::test]
async fn the_same_key_and_body_get_the_stored_answer_again() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let first = post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    assert_eq!(instance.db_count("history WHERE kind = 'duplicate_skipped'"), 0);
    // That it was asked for again is kept, too.
    assert_eq!(instance.db_count("deliveries WHERE status = 'succeeded'"), 2);
    assert_eq!(instance.db_count("deliveries WHERE repeats IS NOT NULL"), 1);
}

#[actix_web::test]
async fn a_key_is_a_listeners_own() {
    let instance = Instance::start().await;
    let (one, other) = (instance.acme().listener().await, instance.acme().listener().await);
    post(&one, "k1", "", &duplicate_of_ann()).await.expect(200);
    let reply = post(&other, "k1", "", &duplicate_of_ann()).await.expect(200);
    assert_eq!(reply.statuses(), ["duplicate"]);
}

#[actix_web::test]
async fn another_body_or_query_under_a_used_key_is_refused() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    let other = payload(&[person("Bob", "b@x.com")]);
    for (query, body) in [("", &other), ("?atomic=true", &duplicate_of_ann())] {
        let reply = post(&listener, "k1", query, body).await.expect(422);
        assert_eq!(reply.problem().0, "idempotency_key_reused");
    }
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn answers_with_failed_actions_are_kept_as_well() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let partial = payload(&[person("Ann", "a@x.com"), person("", "b@x.com")]);
    let failed = payload(&[person("", "b@x.com")]);
    for (key, body, status) in [("partial", &partial, 207), ("failed", &failed, 422)] {
        let first = post(&listener, key, "", body).await.expect(status);
        let again = post(&listener, key, "", body).await.expect(status);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.body, first.body);
    }
}

/// A sender who mends a mistake may go on with the key.
#[actix_web::test]
async fn what_was_not_processed_does_not_use_the_key_up() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let wrong = json!({"senderUser": "nobody@acme.test"});
    post(&listener, "k1", "", &wrong).await.expect(422);
    let dry = post(&listener, "k1", "?dryRun=true", &duplicate_of_ann()).await.expect(200);
    assert_eq!(dry.body["dryRun"], true);
    let reply = post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    assert_eq!(reply.statuses(), ["created"]);
    assert_eq!(reply.header("idempotency-replayed"), None);
}

#[actix_web::test]
async fn a_malformed_key_is_told_what_a_key_is() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for key in ["", "two words", &"x".repeat(256)] {
        let reply = post(&listener, key, "", &duplicate_of_ann()).await.expect(400);
        assert_eq!(reply.problem().0, "invalid_idempotency_key", "{key}");
    }
    assert_eq!(instance.db_count("customers"), 0);
}

#[actix_web::test]
async fn after_seven_days_a_key_is_free_again() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    instance.db_execute("UPDATE idempotency_keys SET created_at = created_at - interval '7 days'");
    let reply = post(&listener, "k1", "", &duplicate_of_ann()).await.expect(200);
    assert_eq!(reply.statuses(), ["duplicate"]);
}

/// A retry comes while the first is still at work: that is when it would do most harm.
#[actix_web::test]
async fn of_many_at_once_over_two_processes_one_is_applied() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..32).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        async move { post(&listener, "k1", "", &duplicate_of_ann()).await }
    });
    let replies = join_all(posts).await;
    let applied = replies
        .iter()
        .filter(|reply| reply.status == 200 && reply.header("idempotency-replayed").is_none())
        .count();
    assert_eq!(applied, 1);
    for reply in &replies {
        if reply.status == 409 {
            assert_eq!(reply.problem().0, "idempotency_key_in_use");
            assert!(reply.header("retry-after").is_some());
        } else {
            assert_eq!((reply.status, reply.statuses()), (200, vec!["created"]));
        }
    }
    assert_eq!(instance.db_count("history WHERE kind = 'duplicate_skipped'"), 0);
}
