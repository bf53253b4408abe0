//! Staging: an org without records again, and every answer says where it comes from (`api.md` 6).

use crate::support::{Instance, Reply, action, person};
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

/// Every table that holds records; what is in none of them is a setting.
const RECORDS: [&str; 15] = [
    "customers",
    "customer_identities",
    "customer_tags",
    "deals",
    "deal_names",
    "deal_owners",
    "deal_contacts",
    "tickets",
    "ticket_tags",
    "notes",
    "activities",
    "history",
    "outbox",
    "deliveries",
    "idempotency_keys",
];

/// Something of every kind of record, all of it linked.
fn story() -> Vec<Value> {
    let lan = json!([{"value": "lan@x.com"}]);
    vec![
        action(
            "add-contact",
            json!({"name": "Lan", "emails": lan, "tag": "vip", "companyContact": {"name": "Shop"}}),
        ),
        action(
            "add-deal",
            json!({"name": "Order", "stage": "New", "dealWith": {"emails": lan},
                   "contacts": [{"name": "Minh", "emails": [{"value": "minh@x.com"}]}]}),
        ),
        action(
            "add-deal",
            json!({"dealId": "D1", "name": "Other", "stage": "New", "dealWith": {"emails": lan}}),
        ),
        action("add-note", json!({"email": "lan@x.com", "body": "Called"})),
        action("add-note", json!({"model": "deal", "dealId": "D1", "body": "Signed"})),
        action(
            "add-ticket",
            json!({"email": "lan@x.com", "body": "Broken", "dealId": "D1", "tag": "urgent"}),
        ),
        action(
            "add-activity",
            json!({"kind": "call", "startedAt": "2026-01-31", "email": "lan@x.com", "dealId": "D1"}),
        ),
        action("send-sms", json!({"content": "Hello", "phones": ["0905000001"]})),
    ]
}

async fn reset(instance: &Instance, who: &str) -> Reply {
    instance.acme().call(who, Method::POST, "/sandbox/reset", None).await
}

#[actix_web::test]
async fn a_reset_empties_the_records_of_the_org_and_keeps_its_settings() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    let (listener, others) = (acme.listener().await, globex.listener().await);
    let body = json!({"senderUser": "ann@acme.test", "data": story()}).to_string().into_bytes();
    let key = [("idempotency-key", "k1")];
    listener.post_bytes("", body.clone(), &key).await.expect(200);
    others.send(&[person("A", "a@x.com")]).await.expect(200);
    for table in RECORDS {
        assert!(instance.db_count(table) > 0, "the story has nothing in {table}");
    }
    let settings = |table: &str| instance.db_count(table);
    let names = ["tags", "picklist_entries", "custom_fields", "listeners", "users", "groups"];
    let before = names.map(settings);

    let gone = reset(&instance, "owner").await.expect(200).body;
    let expected =
        json!({"customers": 3, "deals": 2, "messages": 1, "deliveries": 1, "smsCredits": 20});
    assert_eq!(gone, expected);
    let acme_id = "(SELECT id FROM orgs WHERE slug = 'acme')";
    for table in RECORDS {
        let left = instance.db_count(&format!("{table} WHERE org_id = {acme_id}"));
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(instance.db_count("customers"), 1, "another org keeps its own");
    assert_eq!(names.map(settings), before);
    assert_eq!(
        instance.db_count(&format!("org_settings WHERE org_id = {acme_id} AND sms_credits = 20")),
        1
    );
    assert_eq!(instance.db_count("audit_log WHERE action = 'reset' AND resource = 'sandbox'"), 1);

    // What was known before is new again, and no code is used twice.
    let again = listener.post_bytes("", body, &key).await.expect(200);
    assert_eq!(again.result(0)["status"], "created");
    assert_eq!(again.header("idempotency-replayed"), None);
    assert_ne!(again.result(0)["record"]["code"], "PID-1");
}

/// What a delivery refers to must not go from under it: it would end in a fault of our own.
#[actix_web::test]
async fn deliveries_that_come_while_it_runs_are_answered_as_ever() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener.send(&story()).await.expect(200);
    let deliveries = join_all((0..24).map(|n| {
        let mut actions = story();
        actions.pop();
        actions.push(person("New", &format!("new{n}@x.com")));
        let listener = listener.clone();
        async move { listener.send(&actions).await }
    }));
    let resets = async {
        for _ in 0..4 {
            reset(&instance, "owner").await.expect(200);
        }
    };
    let (replies, ()) = join(deliveries, resets).await;
    for reply in replies {
        // A note on a customer who has just gone is told so.
        assert!(matches!(reply.status, 200 | 207), "{} {:#}", reply.status, reply.body);
        assert!(!reply.body.to_string().contains("internal_error"), "{:#}", reply.body);
    }
    assert_eq!(
        instance.db_count("deals d WHERE deal_with_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.org_id = d.org_id AND c.id = d.deal_with_id)"),
        0
    );
}

/// One that is applied after the customers have gone would make some of those that had gone.
#[actix_web::test]
async fn what_waits_to_be_applied_goes_before_the_records_do() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener.send(&[person("A", "a@x.com")]).await.expect(200);
    let body = json!({"senderUser": "ann@acme.test", "data": story()}).to_string().into_bytes();
    listener.post_bytes("", body, &[("prefer", "respond-async")]).await.expect(202);
    // As long as the customers are locked the reset is at them.
    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; SELECT FROM customers FOR UPDATE").unwrap();
    let gone = async {
        instance.db_until_none("deliveries").await;
        lock.batch_execute("ROLLBACK").unwrap();
    };
    let (reply, ()) = join(reset(&instance, "owner"), gone).await;
    assert_eq!(reply.expect(200).body["customers"], 1);
}

#[actix_web::test]
async fn only_the_owner_resets_and_never_in_production() {
    let instance = Instance::start().await;
    for who in ["admin", "ann"] {
        assert_eq!(reset(&instance, who).await.expect(403).problem().0, "forbidden");
    }
    let production = instance.another_with(&["--environment", "production"]);
    let listener = instance.acme().listener().await;
    listener.send(&[person("A", "a@x.com")]).await.expect(200);
    assert_eq!(reset(&production, "owner").await.expect(409).problem().0, "staging_only");
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn every_answer_of_staging_says_so_and_none_of_production() {
    let instance = Instance::start().await;
    let production = instance.another_with(&["--environment", "production"]);
    for (server, says) in [(&instance, Some("staging")), (&production, None)] {
        for (method, path, status) in [
            (Method::GET, "/healthz", 200),
            (Method::GET, "/readyz", 200),
            (Method::GET, "/openapi.json", 200),
            (Method::GET, "/schemas/listener.json", 200),
            (Method::GET, "/nothing", 404),
            (Method::PUT, "/healthz", 405),
            (Method::GET, "/api/v1/contacts", 401),
            (Method::POST, "/listener/x", 404),
            (Method::POST, "/api/v1/sessions", 400),
        ] {
            let reply = Reply::to(server.request(method.clone(), path)).await.expect(status);
            assert_eq!(reply.header("beeiq-environment"), says, "{method} {path}");
        }
    }
}
