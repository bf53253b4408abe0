//! What has been kept long enough is forgotten (`listener.md` 2, 9).

use crate::support::{Instance, payload, person};
use beeiq::clock;
use beeiq::worker::retention::{Retention, sweep};
use serde_json::{Value, json};
use uuid::Uuid;

const KEPT: Retention = Retention { deliveries: 30, messages: 90 };

/// Copies the deliveries that there are as if they had come in 2024.
const AGED: &str = "CREATE TEMPORARY TABLE aged AS SELECT * FROM deliveries; \
    UPDATE aged SET id = ('018d' || substr(id::text, 5))::uuid, received_at = '2024-02-01T00:00:00Z'; \
    INSERT INTO deliveries SELECT * FROM aged";

/// 1,200 of 2024, as the delivery that there is.
const MANY: &str = "INSERT INTO deliveries (org_id, id, listener_id, received_at, caller, query, headers, body, \
        body_complete, dry_run, status) \
    SELECT org_id, ('018d0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, listener_id, \
        '2024-02-01T00:00:00Z', caller, query, headers, body, body_complete, dry_run, status \
    FROM deliveries, generate_series(1, 1200) AS n";

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

    sweep(&instance.app.db, clock::now(), KEPT).await.unwrap();

    assert_eq!(instance.db_count(old), waiting, "what waits stays");
    assert_eq!(instance.db_count(new), before + waiting, "and what is new");
}

#[actix_web::test]
async fn more_than_a_batch_is_forgotten_batch_by_batch() {
    let instance = Instance::start().await;
    instance.acme().listener().await.send(&[]).await.expect(200);
    instance.db_execute(MANY);
    sweep(&instance.app.db, clock::now(), KEPT).await.unwrap();
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
    sweep(&instance.app.db, clock::now(), KEPT).await.unwrap();
    assert_eq!(instance.db_count("idempotency_keys"), 0);
    assert_eq!(instance.db_count("deliveries"), 1);
    let again = listener.post_bytes("", body, &key).await.expect(200);
    assert_eq!(again.result(0)["status"], Value::from("duplicate"));
}

/// Otherwise all orgs that come after it would keep everything for ever.
#[actix_web::test]
async fn an_org_whose_deliveries_cannot_be_forgotten_keeps_no_other_from_it() {
    let instance = Instance::start().await;
    for org in [instance.acme(), instance.globex()] {
        org.listener().await.send(&[]).await.expect(200);
    }
    instance.db_execute(AGED);
    // The first in the order in which they are swept.
    let acme = instance.acme().get("/me").await.expect(200).body["org"]["id"].clone();
    instance.db_execute(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql \
             AS $$ BEGIN RAISE EXCEPTION 'it stays'; END $$; \
         CREATE TRIGGER refuse BEFORE DELETE ON deliveries FOR EACH ROW \
             WHEN (OLD.org_id = '{}') EXECUTE FUNCTION refuse()",
        acme.as_str().unwrap()
    ));
    assert_eq!(sweep(&instance.app.db, clock::now(), KEPT).await.unwrap(), 1);
    let old = "deliveries WHERE received_at < '2025-01-01'";
    assert_eq!(instance.db_count(old), 1);
    assert_eq!(instance.db_count(&format!("{old} AND org_id = '{}'", acme.as_str().unwrap())), 1);
}

#[actix_web::test]
async fn a_batch_that_takes_too_long_is_tried_in_smaller_ones() {
    let instance = Instance::start().await;
    instance.acme().listener().await.send(&[]).await.expect(200);
    instance.db_execute(MANY);
    instance.db_execute(
        "CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT count(*) FROM gone) > 200 THEN \
                 RAISE EXCEPTION 'canceling statement due to statement timeout' \
                     USING ERRCODE = 'query_canceled'; \
             END IF; \
             RETURN NULL; END $$; \
         CREATE TRIGGER take_long AFTER DELETE ON deliveries REFERENCING OLD TABLE AS gone \
             FOR EACH STATEMENT EXECUTE FUNCTION take_long()",
    );
    assert_eq!(sweep(&instance.app.db, clock::now(), KEPT).await.unwrap(), 0);
    assert_eq!(instance.db_count("deliveries"), 1);
}

#[actix_web::test]
async fn messages_are_forgotten_after_their_time_with_what_they_say_but_for_what_waits() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let statuses = ["sent", "captured", "cancelled", "dead", "pending"];
    for (n, status) in statuses.iter().enumerate() {
        for old in [true, false] {
            let sms = json!({"content": format!("{status} {old}"), "phones": ["0905000001"]});
            listener.act("send-sms", sms).await.expect(200);
            let age = if old { 91 } else { 89 };
            let id = if old {
                format!("018d0000-0000-7000-8000-{n:012}")
            } else {
                Uuid::now_v7().to_string()
            };
            instance.db_execute(&format!(
                "UPDATE outbox SET id = '{id}', status = '{status}', \
                     created_at = now() - interval '{age} days' WHERE wording_id = \
                 (SELECT id FROM wordings WHERE text = '{status} {old}')"
            ));
        }
    }
    sweep(&instance.app.db, clock::now(), KEPT).await.unwrap();
    assert_eq!(instance.db_count("outbox"), 6);
    assert_eq!(instance.db_count("wordings WHERE text LIKE '% false'"), 5);
    assert_eq!(instance.db_count("wordings WHERE text LIKE '% true'"), 1);
    assert_eq!(instance.db_count("wordings WHERE text = 'pending true'"), 1);
}
