//! The link to the database goes silent, or breaks while something is committed: nobody waits for
//! longer than the deadline, and "nothing was applied" is said only where that is known.

use crate::support::link::{Link, Mode};
use crate::support::{Instance, Listener, Reply, payload, person};
use reqwest::Method;
use std::time::{Duration, Instant};

async fn instance() -> (Instance, Link) {
    let instance = Instance::start().await;
    let link = Link::to(instance.database_url());
    (instance, link)
}

/// Has a server read what it caches, and set codes aside, which it commits apart.
async fn warm_up(listener: &Listener<'_>) {
    listener.send(&[person("Lan", "l@x.com")]).await.expect(200);
}

/// Whether what the tests send has been applied.
const HUY: &str = "customers WHERE name = 'Huy'";

#[actix_web::test]
async fn a_commit_whose_answer_is_lost_is_answered_as_what_it_was() {
    let (instance, link) = instance().await;
    let listener = instance.acme().listener().await;
    let far = instance.through(&link, &[]);
    let listener = listener.on(&far);
    warm_up(&listener).await;
    link.set(Mode::SwallowAnswer);
    listener.send(&[person("Huy", "h@x.com")]).await.expect(200);
    assert_eq!(instance.db_count(HUY), 1);
}

#[actix_web::test]
async fn a_commit_that_arrives_late_is_waited_for() {
    let (instance, link) = instance().await;
    let listener = instance.acme().listener().await;
    let far = instance.through(&link, &[]);
    let listener = listener.on(&far);
    warm_up(&listener).await;
    link.set(Mode::HoldCommit);
    let actions = [person("Huy", "h@x.com")];
    let late = async {
        let looked = "pg_stat_activity WHERE query LIKE '%pg_stat_activity WHERE pid%' AND pid <> pg_backend_pid()";
        instance.db_until(looked).await;
        link.set(Mode::Flowing);
    };
    let (reply, ()) = tokio::join!(listener.send(&actions), late);
    reply.expect(200);
    assert_eq!(instance.db_count(HUY), 1);
}

#[actix_web::test]
async fn of_a_commit_that_never_arrived_it_is_said_that_nothing_was_applied() {
    let (instance, link) = instance().await;
    let listener = instance.acme().listener().await;
    let far = instance.through(&link, &[]);
    let listener = listener.on(&far);
    warm_up(&listener).await;
    link.set(Mode::LoseCommit);
    let reply = listener.send(&[person("Huy", "h@x.com")]).await.expect(503);
    assert_eq!(reply.body["code"], "unavailable");
    assert_eq!(instance.db_count(HUY), 0);
}

#[actix_web::test]
async fn what_cannot_be_known_within_the_deadline_is_said_to_be_unknown() {
    let (instance, link) = instance().await;
    let listener = instance.acme().listener().await;
    let far = instance.through(&link, &["--request-deadline-seconds", "1"]);
    let listener = listener.on(&far);
    warm_up(&listener).await;
    link.set(Mode::HoldCommit);
    let reply = listener.send(&[person("Huy", "h@x.com")]).await.expect(503);
    assert_eq!(reply.body["code"], "outcome_unknown");
    assert!(reply.header("retry-after").is_some());
    link.set(Mode::Flowing);
    instance.db_until(HUY).await;
    let id = reply.body["requestId"].as_str().unwrap();
    let told =
        instance.get(&format!("{}/deliveries/{id}", listener.url.replace(&far.url, ""))).await;
    assert_eq!(told.expect(200).body["status"], "done");
}

#[actix_web::test]
async fn nobody_waits_for_a_silent_link_and_nothing_is_applied_after_the_answer() {
    let (instance, link) = instance().await;
    let listener = instance.acme().listener().await;
    let far = instance.through(&link, &["--request-deadline-seconds", "1"]);
    let listener = listener.on(&far);
    warm_up(&listener).await;
    let token = far.acme().db_token("ann");
    let list = far.request(Method::GET, "/api/v1/contacts").bearer_auth(token);
    link.set(Mode::Frozen);
    let asked = Instant::now();
    let body = serde_json::to_vec(&payload(&[person("Huy", "h@x.com")])).unwrap();
    let key = [("idempotency-key", "k")];
    let (keyed, ready, listed) = tokio::join!(
        listener.post_bytes("", body.clone(), &key),
        far.get("/readyz"),
        Reply::to(list),
    );
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    for reply in [keyed, ready, listed] {
        let reply = reply.expect(503);
        assert_eq!(reply.body["code"], "unavailable");
        assert!(reply.header("retry-after").is_some());
    }
    link.set(Mode::Flowing);
    listener.post_bytes("", body, &key).await.expect(200);
    far.get("/readyz").await.expect(200);
    assert_eq!(instance.db_count(HUY), 1);
}
