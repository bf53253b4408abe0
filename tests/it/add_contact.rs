//! add-contact over HTTP: what a person sees who posts, and then looks (`listener.md` 3, 4).

use crate::support::{Instance, person};
use serde_json::{Value, json};

/// The documents say that a company's parameters are like a contact's.
#[actix_web::test]
async fn a_company_made_by_the_way_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let field = json!({"model": "account", "name": "Sector", "kind": "text"});
    acme.post("/custom-fields", &field).await.expect(201);
    let listener = acme.listener_with(json!({"defaultTag": "new"})).await;
    let company = json!({
        "name": "Open Corp", "lastname": "Ltd", "title": "HQ", "passport": "T 1", "gender": 1,
        "contactId": "c-1", "bgInfo": "info", "dateOfBirth": "1993-01-01", "tag": "partner, big",
        "emails": [{"type": "work", "value": "info@open.test"}], "cusFields": {"sector": "IT"},
    });
    let data = json!({"name": "Huy", "tag": "big", "companyContact": company});
    let reply = listener.act("add-contact", data.clone()).await.expect(200);
    assert_eq!(reply.result(0)["warnings"], json!([]));
    let account = acme.get("/accounts/CID-1").await.expect(200).body;
    for (field, value) in [
        ("name", json!("Open Corp")),
        ("lastname", json!("Ltd")),
        ("title", json!("HQ")),
        ("passport", json!("T 1")),
        ("gender", json!(1)),
        ("contactId", json!("c-1")),
        ("bgInfo", json!("info")),
        ("dateOfBirth", json!("1993-01-01")),
        ("tags", json!(["big", "partner"])),
        ("cusFields", json!([{"name": "Sector", "value": "IT"}])),
    ] {
        assert_eq!(account[field], value, "{field}");
    }
    assert_eq!(acme.get("/contacts/PID-1").await.body["tags"], json!(["big"]));
    // It identifies: who comes with its contactId is there already.
    let same = json!({"type": 1, "name": "Other", "contactId": "c-1"});
    let reply = listener.act("add-contact", same).await.expect(200);
    assert_eq!(reply.result(0)["record"]["code"], "CID-1");
    assert_eq!(reply.result(0)["status"], "duplicate");
}

/// Without this a record could be answered `created` and read back without half of its fields.
#[actix_web::test]
async fn a_posted_contact_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener =
        acme.listener_with(json!({"contactSource": "Website", "defaultTag": "new"})).await;
    let reply = listener
        .act(
            "add-contact",
            json!({
                "name": "Huy", "lastname": "Nguyen", "title": "Mr", "passport": "b 12-34", "gender": 1,
                "contactId": 77, "bgInfo": "info", "dateOfBirth": "Fri Jan 01 1993 00:00:00 GMT+0700 (ICT)",
                "emails": [{"type": "work", "value": "Huy@Example.com"}],
                "phones": [{"type": "MOBILE", "value": "01234567890"}],
                "addresses": [{"street": "58 Ton That Dam", "city": "Da Nang", "state": "Thanh Khe", "zip": 5100000, "country": "VN"}],
                "websites": [{"value": "htk-inc.com"}], "im": [{"protocol": "Facebook", "value": "huy"}],
                "cusFields": [{"name": "referred by", "value": "Cong"}],
                "permit": {"status": 4, "users": ["BOB@acme.test"]},
                "companyContact": {"name": "GOOGLE"},
            }),
        )
        .await
        .expect(200);
    assert_eq!(reply.result(0)["record"]["code"], "PID-1");
    assert_eq!(reply.result(0)["warnings"], json!([]));

    let mut contact = acme.get("/contacts/pid-1").await.expect(200).body;
    for made in ["id", "createdAt", "updatedAt"] {
        assert!(contact.as_object_mut().unwrap().remove(made).is_some());
    }
    assert!(contact["company"].as_object_mut().unwrap().remove("id").is_some());
    assert_eq!(
        contact,
        json!({
            "customerId": "PID-1", "contactId": "77", "contactType": "customer", "type": 0,
            "name": "Huy", "lastname": "Nguyen", "title": "Mr", "passport": "b 12-34", "gender": 1,
            "bgInfo": "info", "dateOfBirth": "1993-01-01",
            "emails": [{"type": "Work", "value": "Huy@Example.com"}],
            "phones": [{"type": "Mobile", "value": "01234567890", "e164": "+84834567890"}],
            "addresses": [{"type": "Other", "street": "58 Ton That Dam", "city": "Da Nang", "state": "Thanh Khe",
                "zip": "5100000", "country": {"code": "VN", "name": "Vietnam"}}],
            "externalIds": [],
            "websites": [{"value": "htk-inc.com"}], "im": [{"protocol": "Facebook", "value": "huy"}],
            "tags": ["new"], "cusFields": [{"name": "Referred By", "value": "Cong"}],
            "permit": {"status": 4, "group": null, "users": ["bob@acme.test"]},
            "company": {"customerId": "CID-1", "name": "GOOGLE"}, "source": "Website",
            "owner": {"email": "ann@acme.test", "name": "ann"},
        })
    );
    let account = acme.get("/accounts/CID-1").await.expect(200).body;
    assert_eq!(
        (&account["name"], &account["source"], &account["tags"]),
        (&json!("GOOGLE"), &json!("Website"), &json!([]))
    );
}

#[actix_web::test]
async fn a_duplicate_leaves_one_line_in_the_history_and_nothing_else() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
    let before = acme.get("/contacts/PID-1").await.body;

    let reply = listener
        .act(
            "add-contact",
            json!({"name": "Other", "tag": "x", "emails": [{"value": "HUY@example.com"}],
            "companyContact": {"name": "Other Co"}}),
        )
        .await
        .expect(200);
    assert_eq!(reply.result(0)["status"], "duplicate");
    assert_eq!(reply.result(0)["matchedBy"], "email");
    assert_eq!(reply.result(0)["record"]["code"], "PID-1");

    assert_eq!(acme.get("/contacts/PID-1").await.body, before);
    assert_eq!(acme.get("/accounts").await.data().len(), 0);
    assert_eq!(instance.db_count("tags"), 0);
    let history = acme.history("/contacts/PID-1").await;
    let kinds: Vec<&str> = history.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["duplicate_skipped", "created"]);
    let line = &history[0];
    assert_eq!(line["details"]["matched"], json!([{"field": "email", "value": "huy@example.com"}]));
    assert_eq!(line["requestId"], reply.body["requestId"]);
    assert_eq!(line["listener"]["id"], json!(listener.id));
    assert_eq!(line["actor"]["email"], "ann@acme.test");
}

#[actix_web::test]
async fn the_six_spellings_of_a_person_are_one() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener
        .act(
            "add-contact",
            json!({"name": "Huy", "passport": "b 12-34", "contactId": "77",
                   "emails": [{"value": "Huy@Exämple.com"}], "phones": [{"value": "01234567890"}]}),
        )
        .await
        .expect(200);
    for (spelling, matched_by) in [
        (json!({"emails": [{"value": " huy@exämple.COM "}]}), "email"),
        (json!({"emails": [{"value": "huy@xn--exmple-cua.com"}]}), "email"),
        (json!({"phones": [{"value": "+84 83 456 7890"}]}), "phone"),
        (json!({"phones": [{"value": "0834567890"}]}), "phone"),
        (json!({"passport": "B1234"}), "passport"),
        (json!({"contactId": 77}), "contactId"),
    ] {
        let mut data = spelling.clone();
        data["name"] = json!("x");
        let reply = listener.act("add-contact", data).await.expect(200);
        assert_eq!(reply.result(0)["status"], "duplicate", "{spelling}");
        assert_eq!(reply.result(0)["matchedBy"], matched_by, "{spelling}");
    }
}

#[actix_web::test]
async fn welcome_messages_are_kept_rendered_with_the_customer() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme
        .listener_with(json!({
            "welcomeEmail": {"enabled": true, "subject": "Hi {{ name }}", "body": "<p>{{ name }} {{ code }}</p>", "text": "{{ name }}"},
            "welcomeSms": {"enabled": true, "content": "Hi {{ name }}"},
        }))
        .await;
    listener
        .act("add-contact", json!({"name": "A & B", "emails": [{"value": "a@x.com"}], "phones": [{"value": "0905000001"}]}))
        .await
        .expect(200);
    let mut shown = Vec::new();
    for to in ["a@x.com", "%2B84905000001"] {
        let list = acme.get(&format!("/outbox?status=captured&to={to}")).await.expect(200);
        let path = format!("/outbox/{}", list.data()[0]["id"].as_str().unwrap());
        let message = acme.get(&path).await.expect(200).body;
        shown.push((message["subject"].clone(), message["email"].clone(), message["sms"].clone()));
    }
    let html = "<p>A &amp; B PID-1</p>";
    let email = json!({"subject": "Hi A & B", "html": html, "text": "A & B"});
    let sms = json!({"content": "Hi A & B", "segments": 1});
    assert_eq!(shown, [(json!("Hi A & B"), email, Value::Null), (Value::Null, Value::Null, sms)]);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 19"), 1);
    let history = acme.history("/contacts/PID-1").await;
    let kinds: Vec<&Value> = history.iter().map(|line| &line["kind"]).collect();
    assert_eq!(kinds, ["sms_queued", "email_queued", "created"]);
}

#[actix_web::test]
async fn in_a_batch_only_the_items_at_fault_fail() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let actions: Vec<Value> = (0..1000)
        .map(|i| {
            if i % 100 == 7 {
                person("", &format!("bad{i}@x.com"))
            } else {
                person(&format!("P{i}"), &format!("p{i}@x.com"))
            }
        })
        .collect();
    let reply = listener.send(&actions).await.expect(207);
    assert_eq!(reply.body["summary"]["created"], 990);
    assert_eq!(reply.body["summary"]["failed"], 10);
    for bad in (7..1000).step_by(100) {
        let pointer = format!("/data/{bad}/data/name");
        assert_eq!(reply.fault(bad), ("required", pointer.as_str()));
    }
    assert_eq!(instance.db_count("customers"), 990);
}

/// A batch that needed a statement per action would be slow, and would hold its locks for long.
#[actix_web::test]
async fn a_thousand_actions_take_as_many_statements_as_ten() {
    let batch = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|i| {
                crate::support::action(
                    "add-contact",
                    json!({"name": format!("P{i}"), "tag": format!("t{}", i % 3),
                           "emails": [{"value": format!("p{i}@x.com")}], "phones": [{"value": format!("09050{i:05}")}],
                           "companyContact": {"name": format!("Co {}", i % 50), "emails": [{"value": format!("c{}@co.com", i % 50)}]}}),
                )
            })
            .collect()
    };
    let mut counts = Vec::new();
    for size in [10, 1000] {
        let instance = Instance::start().await;
        let listener = instance
            .acme()
            .listener_with(
                json!({"welcomeEmail": {"enabled": true, "subject": "Hi", "body": "Hi"}}),
            )
            .await;
        listener.send(&[]).await.expect(200);
        let before = instance.app.db.statements_sent();
        listener.send(&batch(size)).await.expect(200);
        counts.push(instance.app.db.statements_sent() - before);
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] > 5, "statements are counted: {counts:?}");
}
