//! `POST /listeners/{id}/preview` (`api.md` 4): welcome messages, tried out.

use crate::support::Instance;
use serde_json::{Value, json};

fn welcome() -> Value {
    json!({
        "welcomeEmail": {
            "subject": "Welcome, {{ name }}",
            "body": "<p>{{ name }} of {{ company.name }}, {{ code }}</p>",
            "text": "{{ fields[\"Referred By\"] }}",
        },
        "welcomeSms": {"content": "Chào {{ name }}"},
    })
}

#[actix_web::test]
async fn both_messages_are_rendered_and_nothing_is_made() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(welcome()).await;
    let data = json!({
        "name": "Huy & <b>", "emails": [{"value": "huy@example.com"}],
        "phones": [{"value": "0905000001"}], "companyContact": {"name": "Open Corp"},
        "cusFields": [{"name": "Referred By", "value": "Lan"}], "tag": "new",
    });
    let path = format!("{}/preview", listener.path());
    let reply = instance.acme().post(&path, &json!({"data": data})).await.expect(200);
    let expected = json!({
        "email": {
            "subject": "Welcome, Huy & <b>",
            "html": "<p>Huy &amp; &lt;b&gt; of Open Corp, PID-1</p>",
            "text": "Lan",
        },
        "sms": {"content": "Chào Huy & <b>", "segments": 1},
        "warnings": [],
    });
    assert_eq!(reply.body, expected);
    for table in ["customers", "outbox", "tags", "history"] {
        assert_eq!(instance.db_count(table), 0, "{table}");
    }
}

/// Whoever tries a template out is the example, and is a customer already.
#[actix_web::test]
async fn a_contact_that_the_org_has_and_credits_that_it_has_not_do_not_matter() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(welcome()).await;
    let data = json!({"name": "Huy", "phones": [{"value": "0905000001"}]});
    listener.act("add-contact", data.clone()).await.expect(200);
    instance.db_execute("UPDATE org_settings SET sms_credits = 0");
    let path = format!("{}/preview", listener.path());
    let reply = instance.acme().post(&path, &json!({"data": data})).await.expect(200);
    assert_eq!(reply.body["sms"]["content"], "Chào Huy");
    assert_eq!(reply.body["warnings"][0]["code"], "welcome_skipped");
    assert_eq!(reply.body["warnings"][0]["pointer"], "/data/emails");
}

/// Whoever writes a template wants to see both, whatever the example lacks.
#[actix_web::test]
async fn both_messages_are_rendered_where_the_data_has_no_address_for_them() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(welcome()).await;
    let path = format!("{}/preview", listener.path());
    for (data, skipped) in [
        (json!({"name": "Huy"}), vec!["/data/emails", "/data/phones"]),
        (json!({"name": "Huy", "emails": [{"value": "huy@example.com"}]}), vec!["/data/phones"]),
        (json!({"name": "Huy", "phones": [{"value": "0905000001"}]}), vec!["/data/emails"]),
        (
            json!({"name": "Huy", "emails": [{"value": "h@x.com"}], "phones": [{"value": "12345"}]}),
            vec!["/data"],
        ),
    ] {
        let reply = instance.acme().post(&path, &json!({"data": data})).await.expect(200);
        let Value::Array(warnings) = &reply.body["warnings"] else { panic!("{:#}", reply.body) };
        let told: Vec<&str> = warnings.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
        assert_eq!(told, skipped, "{data}");
        assert!(warnings.iter().all(|it| it["code"] == "welcome_skipped"), "{data}");
        let email = json!({"subject": "Welcome, Huy", "html": "<p>Huy of , PID-1</p>", "text": ""});
        assert_eq!(reply.body["email"], email, "{data}");
        assert_eq!(reply.body["sms"], json!({"content": "Chào Huy", "segments": 1}), "{data}");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_the_data_is_told_with_its_place() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(welcome()).await;
    let path = format!("{}/preview", listener.path());
    let post = async |body: Value| instance.acme().post(&path, &body).await;
    let reply = post(json!({"data": {"emails": [{"value": "x"}]}})).await.expect(422);
    let mut faults = reply.problem().1;
    faults.sort_unstable();
    assert_eq!(faults, [("invalid_email", "/data/emails/0/value"), ("required", "/data/name")]);
    let reply = post(json!({"data": {"name": "A", "emial": 1}})).await.expect(200);
    assert_eq!(reply.body["warnings"][0]["pointer"], "/data/emial");
    assert_eq!(post(json!({"data": 7})).await.expect(422).problem().1[0].1, "/data");
    assert_eq!(post(json!({})).await.expect(422).problem().1, [("required", "/data")]);
    let other = instance.globex().post(&path, &json!({"data": {"name": "A"}})).await;
    assert_eq!(other.status, 404);
}

#[actix_web::test]
async fn a_listener_without_messages_shows_none() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let path = format!("{}/preview", listener.path());
    let reply = instance.acme().post(&path, &json!({"data": {"name": "A"}})).await.expect(200);
    assert_eq!(reply.body, json!({"email": null, "sms": null, "warnings": []}));
}
