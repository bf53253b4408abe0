//! All nine actions in one request, building on each other, and many such at once.

use crate::support::{Instance, Process, action};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Nine actions about the people number `n`: each but the first needs what earlier ones made.
fn story(n: usize) -> Vec<Value> {
    let lead = json!([{"value": format!("lan{n}@x.com")}]);
    let phone = format!("09050{n:05}");
    let deal = format!("D-{n}");
    vec![
        action(
            "add-lead",
            json!({"name": format!("Lan {n}"), "emails": lead, "phones": [{"value": phone}], "companyLead": "Shop"}),
        ),
        action("update-lead", json!({"emails": lead, "title": "Director", "tag": "hot"})),
        action(
            "add-note",
            json!({"email": format!("lan{n}@x.com"), "contactType": "lead", "body": "Called back"}),
        ),
        action(
            "add-contact",
            json!({"name": format!("Minh {n}"), "emails": [{"value": format!("minh{n}@x.com")}]}),
        ),
        action(
            "update-contact",
            json!({"emails": [{"value": format!("minh{n}@x.com")}], "companyContact": {"name": "Shop"}}),
        ),
        action(
            "add-deal",
            json!({
                "dealId": deal, "name": format!("Order {n}"), "stage": "New", "value": "90071992547409.9301",
                "dealWith": {"contactType": "lead", "emails": lead},
                "contacts": [{"emails": [{"value": format!("minh{n}@x.com")}]}, {"name": format!("New {n}"), "emails": [{"value": format!("new{n}@x.com")}]}],
            }),
        ),
        action(
            "add-ticket",
            json!({
                "contactType": "lead", "email": format!("lan{n}@x.com"), "dealId": deal, "body": "Broken", "groupName": "Support",
                "slaName": "custom", "channel": "Web Contact Form",
            }),
        ),
        action(
            "add-activity",
            json!({
                "kind": "call", "source": "pbx", "externalId": format!("call-{n}"), "dealId": deal,
                "startedAt": "2026-01-31T08:00:00Z", "email": format!("minh{n}@x.com"),
            }),
        ),
        action("send-sms", json!({"content": "We are on it", "phones": [phone]})),
    ]
}

const STATUSES: [&str; 9] = [
    "created", "updated", "created", "created", "updated", "created", "created", "created",
    "queued",
];

#[actix_web::test]
async fn one_request_with_all_nine_actions_is_applied_whole() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let reply = listener.send(&story(1)).await.expect(200);
    assert_eq!(reply.statuses(), STATUSES, "{:#}", reply.body);
    let codes: Vec<&Value> = (0..9).map(|i| &reply.result(i)["record"]["code"]).collect();
    assert_eq!(
        codes,
        [
            &json!("LID-1"),
            &json!("LID-1"),
            &Value::Null,
            &json!("PID-1"),
            &json!("PID-1"),
            &json!("D-1"),
            &json!("TID-1"),
            &Value::Null,
            &Value::Null
        ]
    );

    let lead = acme.get("/leads/LID-1").await.expect(200).body;
    assert_eq!((&lead["title"], &lead["tags"]), (&json!("Director"), &json!(["hot"])));
    assert_eq!(lead["company"]["customerId"], "CID-1");
    let contact = acme.get("/contacts/PID-1").await.expect(200).body;
    assert_eq!(contact["company"]["customerId"], "CID-1");
    let deal = acme.get("/deals/D-1").await.expect(200).body;
    assert_eq!(deal["value"], "90071992547409.9301");
    assert_eq!(deal["dealWith"]["customerId"], "LID-1");
    let with: Vec<&Value> =
        deal["contacts"].as_array().unwrap().iter().map(|one| &one["customerId"]).collect();
    assert_eq!(with, ["PID-1", "PID-2"]);
    let ticket = acme.get("/tickets/TID-1").await.expect(200).body;
    assert_eq!((&ticket["channel"], &ticket["dealId"]), (&json!("Contact Form"), &json!("D-1")));
    let call = acme.get("/activities").await.expect(200).data()[0].clone();
    assert_eq!(
        (&call["customer"]["customerId"], &call["dealId"]),
        (&json!("PID-1"), &json!("D-1"))
    );
    assert_eq!(acme.get("/notes").await.expect(200).data()[0]["body"], "Called back");

    let kinds: Vec<Value> =
        acme.history("/leads/LID-1").await.into_iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(
        kinds,
        [
            "sms_queued",
            "ticket_added",
            "deal_added",
            "note_added",
            "updated",
            "company_linked",
            "created"
        ]
    );
}

#[actix_web::test]
async fn fifty_such_stories_take_as_many_statements_as_one() {
    let mut counts = Vec::new();
    for stories in [1, 50] {
        let instance = Instance::start().await;
        instance.db_execute("UPDATE org_settings SET sms_credits = 1000");
        let listener = instance.acme().listener().await;
        listener.send(&[]).await.expect(200);
        let actions: Vec<Value> = (0..stories).flat_map(story).collect();
        let before = instance.app.db.statements_sent();
        let reply = listener.send(&actions).await.expect(200);
        counts.push(instance.app.db.statements_sent() - before);
        assert_eq!(reply.statuses(), STATUSES.repeat(stories));
    }
    assert_eq!(counts[0], counts[1]);
}

/// Whatever two batches share, they must neither deadlock, nor double, nor be turned away.
#[actix_web::test]
async fn thirty_two_mixed_batches_at_once_over_two_processes_leave_one_of_each() {
    const BATCHES: usize = 32;
    const PEOPLE: usize = 12;
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..BATCHES).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        // Overlapping people, each batch from another one on; deals without an id share names.
        let mut actions: Vec<Value> = (0..PEOPLE)
            .map(|k| (i + k * if i % 3 == 0 { PEOPLE - 1 } else { 1 }) % PEOPLE)
            .flat_map(story)
            .collect();
        actions.push(action(
            "add-deal",
            json!({"name": format!("Shared {}", i % 4), "stage": "New",
                   "dealWith": {"contactType": "lead", "emails": [{"value": "lan0@x.com"}]}}),
        ));
        async move { listener.send(&actions).await }
    });
    let replies = join_all(posts).await;
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 207), "{} {:#}", reply.status, reply.body);
        // Only the credits run out.
        for result in reply.body["results"].as_array().unwrap() {
            let failed = result["status"] == "failed";
            assert!(!failed || result["error"]["code"] == "sms_credits_exhausted", "{result:#}");
        }
    }
    assert_eq!(instance.db_count("customers WHERE kind = 'lead'"), 12);
    assert_eq!(instance.db_count("customers WHERE kind = 'contact'"), 24);
    assert_eq!(instance.db_count("customers WHERE kind = 'account'"), 1);
    assert_eq!(instance.db_count("deals"), 12 + 4);
    assert_eq!(instance.db_count("tickets"), i64::try_from(BATCHES * PEOPLE).unwrap());
    assert_eq!(instance.db_count("notes"), i64::try_from(BATCHES * PEOPLE).unwrap());
    assert_eq!(instance.db_count("activities"), 12);
    assert_eq!(instance.db_count("outbox WHERE channel = 'sms'"), 20);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 0"), 1);
}
