//! add-ticket over HTTP, and tickets as they are read (`listener.md` 5, 7; `api.md` 5).

use crate::support::{Instance, action, person};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_posted_ticket_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
    let reply = listener
        .act(
            "add-ticket",
            json!({"title": "Broken", "body": "It does not work.", "email": "huy@example.com", "groupName": "sales",
                   "slaName": "CUSTOM", "channel": "Web Contact Form", "tag": "webhook, b",
                   "cusFields": [{"name": "pet", "value": "Dog|Cat"}]}),
        )
        .await
        .expect(200);
    let record = &reply.result(0)["record"];
    assert_eq!((&record["model"], &record["code"]), (&json!("ticket"), &json!("TID-1")));
    let related = &reply.result(0)["related"][0];
    assert_eq!((&related["role"], &related["status"]), (&json!("customer"), &json!("linked")));

    let read = acme.get("/tickets/tid-1").await.expect(200);
    assert!(read.header("etag").is_some());
    let mut body = read.body;
    assert_eq!(acme.get("/tickets").await.data(), [body.clone()]);
    let time = |text: &Value| text.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let created = time(&body["createdAt"]);
    assert_eq!((time(&body["sla"]["firstResponseDueAt"]) - created).num_minutes(), 60);
    assert_eq!((time(&body["sla"]["resolutionDueAt"]) - created).num_minutes(), 24 * 60);
    assert_eq!(body["sla"]["name"], "custom");
    for made in ["createdAt", "sla"] {
        assert!(body.as_object_mut().unwrap().remove(made).is_some());
    }
    assert_eq!(
        body,
        json!({
            "id": record["id"], "code": "TID-1", "title": "Broken", "body": "It does not work.",
            "contactType": "customer",
            "customer": {"id": related["id"], "contactType": "customer", "customerId": "PID-1", "name": "Huy"},
            "dealId": null, "group": "Sales", "channel": "Contact Form", "tags": ["b", "webhook"],
            "cusFields": [{"name": "Pet", "value": "Dog|Cat"}],
            "owner": {"email": "ann@acme.test", "name": "ann"},
        })
    );
    // The tags are the ticket's, not the customer's.
    assert_eq!(acme.get("/contacts/PID-1").await.body["tags"], json!([]));
    let own = acme.history("/tickets/TID-1").await;
    assert_eq!((own.len(), &own[0]["kind"]), (1, &json!("created")));
    let customers = acme.history("/contacts/PID-1").await;
    assert_eq!(customers[0]["kind"], "ticket_added");
    let named = json!({"ticket": {"id": record["id"], "code": "TID-1"}});
    assert_eq!(customers[0]["details"], named);
}

#[actix_web::test]
async fn a_ticket_is_seen_by_its_owner_and_its_group_and_without_a_group_by_everybody() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"unknownReferences": "skip"})).await;
    let mut hidden = person("Hidden", "hidden@example.com");
    hidden["data"]["permit"] = json!({"status": 2});
    let ticket = |title: &str, group: Value| {
        action(
            "add-ticket",
            json!({"title": title, "body": "x", "email": "hidden@example.com", "groupName": group}),
        )
    };
    listener
        .send(&[
            hidden,
            ticket("open", Value::Null),
            ticket("sales", json!("Sales")),
            ticket("support", json!("Support")),
            ticket("dropped", json!("No such group")),
        ])
        .await
        .expect(200);
    for (who, seen) in [
        ("bob", vec!["sales", "open"]),
        ("ann", vec!["dropped", "support", "sales", "open"]),
        ("admin", vec!["dropped", "support", "sales", "open"]),
    ] {
        assert_eq!(acme.get_as(who, "/tickets").await.expect(200).each("title"), seen, "{who}");
    }
    acme.get_as("bob", "/tickets/TID-3").await.expect(404);
    acme.get_as("bob", "/tickets/TID-3/history").await.expect(404);
    let open = acme.get_as("bob", "/tickets/TID-1").await.expect(200).body;
    assert_eq!(
        (&open["customer"]["customerId"], &open["customer"]["name"]),
        (&json!("PID-1"), &Value::Null)
    );
    let found = acme.get_as("bob", "/tickets?email=hidden%40example.com").await.expect(200);
    assert_eq!(found.data().len(), 0);
    instance.globex().get("/tickets/TID-1").await.expect(404);
}

#[actix_web::test]
async fn a_list_is_narrowed_by_what_the_ticket_and_its_customer_have() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let ticket = |title: &str, body: &str, email: &str, tag: &str| {
        action(
            "add-ticket",
            json!({"title": title, "body": body, "name": email, "email": email, "tag": tag}),
        )
    };
    listener
        .send(&[
            ticket("One", "Đà Nẵng", "a@x.com", "red"),
            ticket("Two", "100% done", "a@x.com", "blue"),
            ticket("Three", "1000 done", "b@x.com", "RED"),
        ])
        .await
        .expect(200);
    for (query, expected) in [
        ("", vec!["Three", "Two", "One"]),
        ("?email=A%40x.com", vec!["Two", "One"]),
        ("?name=b%40X.com", vec!["Three"]),
        ("?tag=Red", vec!["Three", "One"]),
        ("?q=%C4%90%C3%80+n%E1%BA%B5ng", vec!["One"]),
        ("?q=100%25", vec!["Two"]),
        ("?q=tid-3", vec!["Three"]),
        ("?q=two+DONE", vec!["Two"]),
        ("?owner=ann%40acme.test&limit=1", vec!["Three"]),
        ("?owner=bob%40acme.test", vec![]),
        ("?createdTo=2020-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(
            acme.get(&format!("/tickets{query}")).await.expect(200).each("title"),
            expected,
            "{query}"
        );
    }
    acme.get("/tickets?mail=x").await.expect(422);
    let first = acme.get("/tickets?limit=2").await.expect(200).body;
    let cursor = first["page"]["nextCursor"].as_str().unwrap();
    let next = acme.get(&format!("/tickets?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(next.each("title"), ["One"]);
}

#[actix_web::test]
async fn simultaneous_tickets_of_one_new_person_make_him_once_and_themselves_each() {
    let instance = Instance::start().await;
    let other = instance.another();
    let acme = instance.acme();
    let listener = acme
        .listener_with(json!({"welcomeEmail": {"enabled": true, "subject": "Hi", "body": "Hi"}}))
        .await;
    let posts = (0..20).map(|i| {
        let listener = if i % 2 == 0 { listener.clone() } else { listener.on(&other) };
        async move {
            let data =
                json!({"body": "x", "name": "New", "email": "new@x.com", "contactType": "lead"});
            listener.act("add-ticket", data).await.expect(200).result(0).clone()
        }
    });
    let results = join_all(posts).await;
    let made = results.iter().filter(|result| result["related"][0]["status"] == "created").count();
    assert_eq!(made, 1);
    let mut codes: Vec<&str> =
        results.iter().map(|result| result["record"]["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 20);
    assert_eq!(instance.db_count("customers"), 1);
    assert_eq!(instance.db_count("tickets"), 20);
    assert_eq!(instance.db_count("outbox"), 1);
    // Which number there is depends on which server was faster: each takes its own block.
    assert_eq!(acme.get("/leads").await.expect(200).each("name"), ["New"]);
}

#[actix_web::test]
async fn an_erased_customer_takes_his_notes_tickets_and_messages_along() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener
        .send(&[
            action("add-contact", json!({"name": "Huy", "phones": [{"value": "0905000001"}]})),
            action("add-note", json!({"body": "x", "phone": "0905000001"})),
            action("add-ticket", json!({"body": "x", "phone": "0905000001", "tag": "t"})),
            action("send-sms", json!({"content": "x", "phones": ["0905000001"]})),
        ])
        .await
        .expect(200);
    for table in ["notes", "tickets", "ticket_tags", "outbox"] {
        assert_eq!(instance.db_count(table), 1, "{table}");
    }
    instance.db_connection().batch_execute("DELETE FROM customers").unwrap();
    for table in ["notes", "tickets", "ticket_tags", "outbox", "history"] {
        assert_eq!(instance.db_count(table), 0, "{table}");
    }
}

#[actix_web::test]
async fn a_thousand_tickets_and_notes_take_as_many_statements_as_ten() {
    let mut counts = Vec::new();
    for size in [5, 500] {
        let instance = Instance::start().await;
        instance
            .db_connection()
            .batch_execute("UPDATE org_settings SET sms_credits = 1000")
            .unwrap();
        let listener = instance.acme().listener().await;
        listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
        let ticket = |i: usize| {
            let data = json!({"body": "x", "name": "x", "phone": format!("09050{i:05}"), "tag": format!("t{i}")});
            action("add-ticket", data)
        };
        let note = |i: usize| {
            let data = json!({"body": "x", "email": "huy@example.com", "tag": format!("n{i}")});
            action("add-note", data)
        };
        let sms = |i: usize| {
            action("send-sms", json!({"content": "x", "phones": [format!("09050{i:05}")]}))
        };
        let batch: Vec<Value> = (0..size).flat_map(|i| [ticket(i), note(i), sms(i)]).collect();
        let before = instance.app.db.statements_sent();
        listener.send(&batch).await.expect(200);
        counts.push(instance.app.db.statements_sent() - before);
    }
    assert_eq!(counts[0], counts[1]);
}
