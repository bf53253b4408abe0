//! Small deliveries of an org that wait share a transaction (`listener.md` 1, 2).

use crate::support::{Instance, Listener, Reply, action, payload, person};
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::json;

const POSTS: usize = 40;

/// Holds an org's deliveries back, as a change of its settings does, until some of them wait in the
/// database and the others behind those; then lets all go.
async fn held_back<T>(instance: &Instance, posts: impl Future<Output = T>) -> T {
    let mut holder = instance.db_connection();
    holder
        .batch_execute(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(id || ':directory', 0)) \
             FROM orgs WHERE slug = 'acme'",
        )
        .unwrap();
    let let_go = async {
        let waiting = "pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = \
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        instance
            .db_until(&format!("(SELECT count(*) AS n FROM {waiting}) AS held WHERE n >= 2"))
            .await;
        holder.batch_execute("COMMIT").unwrap();
    };
    join(posts, let_go).await.0
}

async fn one_after_the_other(listener: &Listener<'_>) {
    for n in 0..POSTS {
        listener.send(&[person("P", &format!("alone{n}@x.com"))]).await.expect(200);
    }
}

/// What each of them costs is what the busiest senders pay.
#[actix_web::test]
async fn those_that_wait_take_fewer_statements_than_one_after_the_other() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    one_after_the_other(&listener).await;
    let before = instance.app.db.statements_sent();
    let posts = (0..POSTS).map(|n| {
        let listener = listener.clone();
        async move { listener.send(&[person("P", &format!("p{n}@x.com"))]).await.expect(200) }
    });
    let replies = held_back(&instance, join_all(posts)).await;
    let together = instance.app.db.statements_sent() - before;
    assert!(replies.iter().all(|reply| reply.statuses() == ["created"]));
    assert!(together < u64::try_from(POSTS).unwrap() * 3, "{together} statements");
    assert_eq!(instance.db_count("customers"), 2 * i64::try_from(POSTS).unwrap());
    assert_eq!(instance.db_count("deliveries"), 2 * i64::try_from(POSTS).unwrap());
}

/// A row of history, a message and a delivery say which request they came by.
#[actix_web::test]
async fn each_of_those_that_share_a_transaction_leaves_its_own_trace() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let welcome = json!({"welcomeEmail": {"enabled": true, "subject": "Hi", "body": "Hi"}});
    let listeners = [acme.listener().await, acme.listener_with(welcome).await];
    let posts = (0..POSTS).map(|n| {
        let listener = listeners[n % 2].clone();
        let who = ["ann", "bob"][n / 2 % 2];
        let person = json!({"name": "P", "emails": [{"value": format!("p{n}@x.com")}]});
        async move { listener.act_as(who, "add-contact", person).await.expect(200) }
    });
    held_back(&instance, join_all(posts)).await;
    let all = i64::try_from(POSTS).unwrap();
    assert_eq!(
        instance.db_count(
            "history h JOIN deliveries d ON d.org_id = h.org_id AND d.id = h.request_id \
             JOIN users u ON u.org_id = h.org_id AND u.id = h.actor_id \
             JOIN customers c ON c.org_id = h.org_id AND c.id = h.customer_id \
             WHERE h.kind = 'created' AND h.listener_id = d.listener_id AND h.at = d.received_at \
               AND u.email = d.sender_user AND d.answer LIKE '%' || c.id || '%' \
               AND convert_from(d.body, 'UTF8') LIKE '%' || (c.emails -> 0 ->> 'value') || '%'"
        ),
        all
    );
    assert_eq!(
        instance.db_count(
            "outbox o JOIN deliveries d ON d.org_id = o.org_id AND d.id = o.request_id \
             AND d.listener_id = o.listener_id \
             WHERE convert_from(d.body, 'UTF8') LIKE '%' || o.recipient || '%'"
        ),
        all / 2
    );
}

/// What is wrong with one is its own affair, and what asks for something special is done alone.
#[actix_web::test]
async fn those_that_cannot_go_with_the_others_keep_nobody_back() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let posts = (0..POSTS).map(|n| {
        let listener = listener.clone();
        async move { various(&listener, n).await }
    });
    let replies = held_back(&instance, join_all(posts)).await;
    for (n, reply) in replies.iter().enumerate() {
        let expected = [200, 400, 422, 422, 200, 200, 202, 422][n % 8];
        assert_eq!(reply.status, expected, "{n}: {}", reply.body);
    }
    let of_each = i64::try_from(POSTS / 8).unwrap();
    assert_eq!(instance.db_count("deliveries"), 8 * of_each);
    assert_eq!(instance.db_count("deliveries WHERE status = 'pending'"), of_each);
    assert_eq!(instance.db_count("customers"), 2 * of_each);
}

/// A good one, one that is no JSON, one of a sender who is not there, one whose action fails, a dry
/// run, one with a key, one for later, and an atomic one that fails.
async fn various(listener: &Listener<'_>, n: usize) -> Reply {
    let good = payload(&[person("P", &format!("p{n}@x.com"))]);
    let nameless = action("add-contact", json!({}));
    let unknown = json!({"senderUser": "nobody@acme.test", "data": good["data"]});
    let key = format!("key-{n}");
    let with = async |header: (&str, &str)| {
        listener.post_bytes("", good.to_string().into_bytes(), &[header]).await
    };
    match n % 8 {
        0 => listener.post(&good).await,
        1 => listener.post_bytes("", b"{".to_vec(), &[]).await,
        2 => listener.post(&unknown).await,
        3 => listener.post(&payload(&[nameless])).await,
        4 => listener.post_with("?dryRun=true", &good).await,
        5 => with(("idempotency-key", &key)).await,
        6 => with(("prefer", "respond-async")).await,
        _ => {
            let both = [person("P", &format!("p{n}@x.com")), nameless];
            listener.post_with("?atomic=true", &payload(&both)).await
        }
    }
}
