//! What has been kept long enough is forgotten (`listener.md` 2, 9).

use crate::support::{Instance, payload, person};
use beeiq::clock;
use beeiq::retention::sweep;
use serde_json::Value;

/// Copies the deliveries that there are as if they had come in 2024.
const AGED: &str = "CREATE TEMPORARY TABLE aged AS SELECT * FROM deliveries; \
    UPDATE aged SET id = ('018d' || substr(id::text, 5))::uuid, received_at = '2024-02-01T00:00:00Z'; \
    INSERT INTO deliveries SELECT * FROM aged";

#[actix_web::test]
async fn deliveries_are_forgotten_after_their_time_in_all_orgs_but_for_what_waits() {
    let instance = Instance::start().await;
    let body = payload(&[person("Huy", "h@x.com")]).to_string().into_bytes();
    for org in [instance.acme(), instance.globex()] {
        let listener = org.listener().await;
        listener.send(&[person("Huy", "h@x.com")]).await.expect(200);
        listener.post_bytes("", body.clone(), &[("prefer", "respond-async")]).await;
    }
    let (old, new) = ("deliveries WHERE received_at < '2025-01-01'", "deliveries");
    let before = instance.db_count(new);
    instance.db_execute(AGED);
    assert_eq!(instance.db_count(old), before);
    let waiting = instance.db_count("deliveries WHERE status = 'pending'") / 2;

    sweep(&instance.app.db, clock::now(), 30).await.unwrap();

    assert_eq!(instance.db_count(old), waiting, "what waits stays");
    assert_eq!(instance.db_count(new), before + waiting, "and what is new");
}

#[actix_web::test]
async fn more_than_a_batch_is_forgotten_batch_by_batch() {
    let instance = Instance::start().await;
    instance.acme().listener().await.send(&[]).await.expect(200);
    instance.db_execute(
        "INSERT INTO deliveries (org_id, id, listener_id, received_at, caller, query, headers, body, \
             body_complete, dry_run, status) \
         SELECT org_id, ('018d0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, listener_id, \
             '2024-02-01T00:00:00Z', caller, query, headers, body, body_complete, dry_run, status \
         FROM deliveries, generate_series(1, 1200) AS n",
    );
    sweep(&instance.app.db, clock::now(), 30).await.unwrap();
    assert_eq!(instance.db_count("deliveries"), 1);
}

#[actix_web::test]
async fn a_key_is_forgotten_after_seven_days_and_its_delivery_stays() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let body = payload(&[person("Huy", "h@x.com")]).to_string().into_bytes();
    let key = [("idempotency-key", "k1")];
    listener.post_bytes("", body.clone(), &key).await.expect(200);
    instance.db_execute("UPDATE idempotency_keys SET created_at = now() - interval '8 days'");
    sweep(&instance.app.db, clock::now(), 30).await.unwrap();
    assert_eq!(instance.db_count("idempotency_keys"), 0);
    assert_eq!(instance.db_count("deliveries"), 1);
    let again = listener.post_bytes("", body, &key).await.expect(200);
    assert_eq!(again.result(0)["status"], Value::from("duplicate"));
}
