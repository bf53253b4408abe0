//! send-sms over HTTP (`listener.md` 7): what is queued, and what it costs.

use crate::support::{Instance, action};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn messages_are_captured_on_staging_and_told_of_in_the_history_of_both_holders() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let person = json!({"name": "Huy", "phones": [{"value": "01234567890"}]});
    let reply = listener
        .send(&[
            action("add-contact", person.clone()),
            action("add-lead", person),
            action("send-sms", json!({"content": "Hi", "phones": ["0834567890", "12", 905000002]})),
        ])
        .await
        .expect(200);
    let result = reply.result(2);
    assert_eq!(result["status"], "queued");
    assert_eq!(reply.body["summary"]["queued"], 1);
    assert_eq!(
        (&result["record"]["model"], &result["record"]["code"]),
        (&json!("sms"), &Value::Null)
    );
    let related = result["related"].as_array().unwrap();
    assert_eq!(related.len(), 2);
    assert_eq!(
        related[0],
        json!({"role": "message", "status": "queued", "model": "sms", "id": result["record"]["id"], "code": null})
    );
    assert_eq!(result["warnings"][0]["code"], "invalid_phone");
    assert_eq!(result["warnings"][0]["pointer"], "/data/2/data/phones/1");
    assert_eq!(
        instance.db_count(
            "outbox WHERE channel = 'sms' AND status = 'captured' AND recipient = '+84834567890' \
             AND segments = 1 AND customer_id IS NOT NULL AND lead_id IS NOT NULL"
        ),
        1
    );
    assert_eq!(instance.db_count("outbox WHERE customer_id IS NULL AND lead_id IS NULL"), 1);
    for path in ["/contacts/PID-1", "/leads/LID-1"] {
        let history = acme.history(path).await;
        assert_eq!(history[0]["kind"], "sms_queued", "{path}");
        assert_eq!(history[0]["details"]["messageId"], result["record"]["id"], "{path}");
    }
}

/// Credits are money: not one more may be taken than there are, however many servers queue.
#[actix_web::test]
async fn credits_are_taken_exactly_under_concurrency() {
    let instance = Instance::start().await;
    let other = instance.another();
    let listener = instance.acme().listener().await;
    let posts = (0..30).map(|i| {
        let listener = if i % 2 == 0 { listener.clone() } else { listener.on(&other) };
        async move {
            let data = json!({"content": "Hi", "phones": ["0905000001"]});
            listener.act("send-sms", data).await
        }
    });
    let replies = join_all(posts).await;
    let queued = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(queued, 20);
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(refused.fault(0).0, "sms_credits_exhausted", "{:#}", refused.body);
    }
    assert_eq!(instance.db_count("outbox"), 20);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 0"), 1);
}

#[actix_web::test]
async fn too_few_credits_for_all_queue_none_and_a_dry_run_takes_none() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let phones: Vec<String> = (1..=21).map(|i| format!("09050000{i:02}")).collect();
    let data = json!({"content": "Hi", "phones": phones});
    let reply = listener.act("send-sms", data).await.expect(422);
    assert_eq!(reply.fault(0), ("sms_credits_exhausted", "/data/0/data"));
    let body = crate::support::payload(&[action(
        "send-sms",
        json!({"content": "Hi", "phones": ["0905000001"]}),
    )]);
    let dry = listener.post_with("?dryRun=true", &body).await.expect(200);
    assert_eq!(dry.result(0)["record"]["id"], Value::Null);
    assert_eq!(instance.db_count("outbox"), 0);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 20"), 2);
}
