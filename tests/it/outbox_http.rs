//! `/api/v1/outbox`: what is told of messages, and what people may do about them (`api.md` 4).

use crate::outbox::welcoming;
use crate::support::{Instance, action, person};
use reqwest::Method;
use serde_json::{Value, json};

/// On staging: a welcome e-mail to Ann@X.test and an SMS, both captured.
async fn captured(instance: &Instance) -> Vec<Value> {
    let sms = action("send-sms", json!({"content": "Chào", "phones": ["0905000001"]}));
    let listener = welcoming(instance.acme()).await;
    listener.send(&[person("Ann", "Ann@X.test"), sms]).await.expect(200);
    instance.acme().get("/outbox").await.expect(200).data().to_vec()
}

fn path(message: &Value) -> String {
    format!("/outbox/{}", message["id"].as_str().unwrap())
}

#[actix_web::test]
async fn messages_are_listed_newest_first_and_read_with_their_content() {
    let instance = Instance::start().await;
    let messages = captured(&instance).await;
    let [sms, email] = messages.as_slice() else { panic!("{messages:#?}") };
    assert_eq!((&sms["channel"], &email["channel"]), (&json!("sms"), &json!("email")));
    assert_eq!(email["to"], "Ann@X.test");
    assert_eq!(email["recipients"][0]["customerId"], "PID-1");

    let acme = instance.acme();
    let email = acme.get(&path(email)).await.expect(200);
    assert!(email.header("etag").is_some());
    assert_eq!(email.body["status"], "captured");
    assert_eq!(
        email.body["email"],
        json!({"subject": "Welcome Ann", "html": "<p>Hi Ann</p>", "text": null})
    );
    assert_eq!((&email.body["sms"], &email.body["attempts"]), (&Value::Null, &json!([])));
    let sms = acme.get(&path(sms)).await.expect(200).body;
    assert_eq!(sms["sms"], json!({"content": "Chào", "segments": 1}));
    assert_eq!(sms["email"], Value::Null);
}

#[actix_web::test]
async fn a_list_is_narrowed_by_channel_status_and_recipient_and_goes_on_at_its_cursor() {
    let instance = Instance::start().await;
    captured(&instance).await;
    let acme = instance.acme();
    for (query, channels) in [
        ("", vec!["sms", "email"]),
        ("?channel=email", vec!["email"]),
        ("?status=captured", vec!["sms", "email"]),
        ("?status=sent", vec![]),
        ("?to=ann@x.TEST", vec!["email"]),
        ("?to=%2B84905000001", vec!["sms"]),
        ("?to=nn@x.test", vec![]),
        ("?channel=sms&to=ann@x.test", vec![]),
    ] {
        let list = acme.get(&format!("/outbox{query}")).await.expect(200);
        assert_eq!(list.each("channel"), channels, "{query}");
    }
    let first = acme.get("/outbox?limit=1").await.expect(200);
    let cursor = first.body["page"]["nextCursor"].as_str().unwrap();
    let next = acme.get(&format!("/outbox?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(next.each("channel"), ["email"]);
    for query in ["channel=fax", "status=lost", "sort=to"] {
        let refused = acme.get(&format!("/outbox?{query}")).await.expect(422);
        assert_eq!(refused.problem().0, "invalid_query", "{query}");
    }
}

#[actix_web::test]
async fn only_what_has_not_gone_out_can_be_retried_or_cancelled() {
    let instance = Instance::start().await;
    let message = captured(&instance).await[1].clone();
    let acme = instance.acme();
    for (status, wish, answer, then) in [
        ("captured", "retry", 409, "captured"),
        ("captured", "cancel", 409, "captured"),
        ("sent", "retry", 409, "sent"),
        ("sent", "cancel", 409, "sent"),
        ("pending", "retry", 200, "pending"),
        ("dead", "retry", 200, "pending"),
        ("cancelled", "retry", 200, "pending"),
        ("cancelled", "cancel", 409, "cancelled"),
        ("pending", "cancel", 200, "cancelled"),
        ("dead", "cancel", 200, "cancelled"),
    ] {
        instance.db_execute(&format!(
            "UPDATE outbox SET status = '{status}', attempts = 10, next_attempt_at = now() + interval '6 h'"
        ));
        let reply =
            acme.post(&format!("{}/{wish}", path(&message)), &json!(null)).await.expect(answer);
        let after = acme.get(&path(&message)).await.expect(200).body;
        assert_eq!(after["status"], then, "{wish} of {status}");
        if answer == 200 {
            assert_eq!(reply.body, after);
        } else {
            assert_eq!(reply.problem().0, "wrong_status");
        }
        if then == "pending" {
            let due = "outbox WHERE status = 'pending' AND next_attempt_at <= now()";
            assert_eq!(instance.db_count(due), 1, "{wish} of {status}");
        }
    }
    instance.db_execute(
        "UPDATE outbox SET status = 'sending', claim_id = gen_random_uuid() WHERE channel = 'email'",
    );
    for wish in ["retry", "cancel"] {
        let reply = acme.post(&format!("{}/{wish}", path(&message)), &json!(null)).await;
        assert_eq!(reply.expect(409).problem().0, "wrong_status");
    }
}

#[actix_web::test]
async fn members_and_other_orgs_see_no_messages() {
    let instance = Instance::start().await;
    let path = path(&captured(&instance).await[0]);
    let (acme, globex) = (instance.acme(), instance.globex());
    for (method, path) in [
        (Method::GET, "/outbox".to_owned()),
        (Method::GET, path.clone()),
        (Method::POST, format!("{path}/retry")),
        (Method::POST, format!("{path}/cancel")),
    ] {
        acme.call("ann", method, &path, None).await.expect(403);
    }
    assert_eq!(globex.get("/outbox").await.expect(200).data(), [] as [Value; 0]);
    globex.get(&path).await.expect(404);
    globex.post(&format!("{path}/retry"), &json!(null)).await.expect(404);
    globex.post(&format!("{path}/cancel"), &json!(null)).await.expect(404);
    acme.get("/outbox/PID-1").await.expect(404);
    assert_eq!(instance.db_count("outbox WHERE status = 'captured'"), 2);
}

/// What was queued by a production server must not leave by a staging one on a copy of its data.
#[actix_web::test]
async fn staging_sends_nothing_even_what_waits() {
    let instance = Instance::start().await;
    captured(&instance).await;
    instance.db_execute("UPDATE outbox SET status = 'pending'");
    assert_eq!(instance.app.outbox.run_once().await.unwrap(), 0);
    assert_eq!(instance.db_count("outbox WHERE status = 'pending'"), 2);
}
