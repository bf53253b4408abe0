//! update-contact and update-lead over HTTP: what reads back, what history tells, and what holds
//! when many come at once (`listener.md` 3).

use crate::support::{Instance, Process, Reply, action, person};
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

const POSTS: usize = 64;

fn update(data: Value) -> Value {
    action("update-contact", data)
}

fn count(replies: &[Reply], status: &str) -> usize {
    replies.iter().filter(|reply| reply.statuses() == [status]).count()
}

/// Without this an update could be answered `updated` and half of its columns be left unwritten.
#[actix_web::test]
async fn an_updated_contact_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"contactSource": "Website"})).await;
    let mut ann = person("Huy", "huy@example.com");
    ann["data"]["tag"] = json!("old");
    listener.send(&[ann]).await.expect(200);
    let before = acme.get("/contacts/PID-1").await.body;
    let reply = listener
        .act(
            "update-contact",
            json!({
                "emails": [{"type": "Work", "value": "HUY@example.com"}, {"value": "new@example.com"}],
                "name": "Hung", "lastname": "Nguyen", "title": "Mr", "passport": "b 12-34", "gender": 1,
                "contactId": 77, "bgInfo": "info", "dateOfBirth": "1993-01-01",
                "phones": [{"type": "MOBILE", "value": "01234567890"}],
                "addresses": [{"street": "58 Ton That Dam", "country": "VN"}],
                "websites": ["htk-inc.com"], "im": [{"protocol": "Facebook", "value": "huy"}],
                "tag": "VIP", "cusFields": [{"name": "referred by", "value": "Cong"}],
                "permit": {"status": 4, "users": ["BOB@acme.test"]},
                "companyContact": {"name": "GOOGLE"},
            }),
        )
        .await
        .expect(200);
    assert_eq!(reply.result(0)["status"], "updated");
    assert_eq!(reply.result(0)["record"]["id"], before["id"]);
    assert_eq!(reply.result(0)["warnings"], json!([]));
    let related = &reply.result(0)["related"][0];
    assert_eq!((&related["role"], &related["status"]), (&json!("company"), &json!("created")));

    let after = acme.get("/contacts/PID-1").await.expect(200).body;
    assert!(after["updatedAt"].as_str() > before["updatedAt"].as_str());
    let mut expected = before.clone();
    for (field, value) in json!({
        "contactId": "77", "name": "Hung", "lastname": "Nguyen", "title": "Mr", "passport": "b 12-34",
        "gender": 1, "bgInfo": "info", "dateOfBirth": "1993-01-01",
        "emails": [{"type": "Work", "value": "huy@example.com"}, {"type": "Other", "value": "new@example.com"}],
        "phones": [{"type": "Mobile", "value": "01234567890", "e164": "+84834567890"}],
        "addresses": [{"type": "Other", "street": "58 Ton That Dam", "city": null, "state": null,
            "zip": null, "country": {"code": "VN", "name": "Vietnam"}}],
        "websites": [{"value": "htk-inc.com"}], "im": [{"protocol": "Facebook", "value": "huy"}],
        "tags": ["old", "VIP"], "cusFields": [{"name": "Referred By", "value": "Cong"}],
        "permit": {"status": 4, "group": null, "users": ["bob@acme.test"]},
        "company": {"id": related["id"], "customerId": "CID-1", "name": "GOOGLE"},
        "updatedAt": after["updatedAt"],
    })
    .as_object()
    .unwrap()
    {
        expected[field] = value.clone();
    }
    assert_eq!(after, expected);
}

#[actix_web::test]
async fn one_line_tells_old_and_new_and_what_changes_nothing_leaves_none() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
    let change = json!({"customerId": "PID-1", "title": "Dr", "tag": "VIP", "companyContact": {"name": "GOOGLE"}});
    let reply = listener.act("update-contact", change.clone()).await.expect(200);
    let changed = acme.get("/contacts/PID-1").await.body;
    let again = listener.act("update-contact", change).await.expect(200);
    assert_eq!(again.statuses(), ["unchanged"]);
    assert_eq!(again.body["summary"]["unchanged"], 1);
    assert_eq!(acme.get("/contacts/PID-1").await.body, changed, "not even updatedAt");

    let history = acme.history("/contacts/PID-1").await;
    let kinds: Vec<&str> = history.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["company_linked", "updated", "created"]);
    let line = &history[1];
    assert_eq!(
        line["details"]["changes"],
        json!({
            "title": {"old": null, "new": "Dr"},
            "tag": {"old": [], "new": ["VIP"]},
            "companyContact": {"old": null, "new": "CID-1"},
        })
    );
    assert_eq!(line["requestId"], reply.body["requestId"]);
    assert_eq!(line["listener"]["id"], json!(listener.id));
    assert_eq!(line["actor"]["email"], "ann@acme.test");
}

/// What is cleared identifies nobody any more: neither a later update nor a duplicate.
#[actix_web::test]
async fn what_null_clears_is_free_for_others() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener
        .act(
            "add-contact",
            json!({"name": "Huy", "contactId": "c", "passport": "p", "tag": "VIP",
                   "emails": [{"value": "a@x.com"}], "phones": [{"value": "0905000001"}],
                   "companyContact": {"name": "GOOGLE", "emails": [{"value": "a@x.com"}]}}),
        )
        .await
        .expect(200);
    let cleared = json!({"customerId": "PID-1", "contactId": null, "passport": null, "emails": null,
        "phones": null, "tag": null, "companyContact": null});
    assert_eq!(listener.act("update-contact", cleared).await.statuses(), ["updated"]);
    let contact = acme.get("/contacts/PID-1").await.body;
    for (field, empty) in [
        ("contactId", json!(null)),
        ("passport", json!(null)),
        ("emails", json!([])),
        ("phones", json!([])),
        ("tags", json!([])),
        ("company", json!(null)),
    ] {
        assert_eq!(contact[field], empty, "{field}");
    }
    assert_eq!(instance.db_count("customer_identities WHERE kind < 5"), 0);
    let reply = listener
        .send(&[
            update(json!({"emails": [{"value": "a@x.com"}]})),
            person("Other", "a@x.com"),
            action("add-contact", json!({"name": "Third", "contactId": "c", "passport": "P"})),
        ])
        .await;
    assert_eq!(reply.statuses(), ["failed", "created", "created"]);
    assert_eq!(reply.fault(0), ("not_found", "/data/0/data"));
}

#[actix_web::test]
async fn what_another_record_holds_is_refused_and_nothing_is_changed() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("A", "a@x.com"), person("B", "b@x.com")]).await.expect(200);
    let before = acme.get("/contacts/PID-2").await.body;
    let data = json!({"customerId": "PID-2", "title": "Dr", "tag": "new", "emails": [{"value": "A@x.com"}]});
    let reply = listener.act("update-contact", data).await.expect(422);
    assert_eq!(reply.fault(0), ("identifier_taken", "/data/0/data/emails/0/value"));
    assert!(reply.result(0)["error"]["message"].as_str().unwrap().contains("PID-1"));
    assert_eq!(acme.get("/contacts/PID-2").await.body, before);
    assert_eq!(instance.db_count("tags"), 0);
}

#[actix_web::test]
async fn updates_of_a_batch_see_what_its_earlier_actions_did() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"defaultTag": "fresh"})).await;
    let reply = listener
        .send(&[
            person("Huy", "a@x.com"),
            update(json!({"emails": [{"value": "a@x.com"}, {"value": "b@x.com"}], "tag": "VIP"})),
            update(json!({"emails": [{"value": "b@x.com"}], "name": "Hung"})),
            update(json!({"customerId": "PID-9", "name": "x"})),
        ])
        .await
        .expect(207);
    assert_eq!(reply.statuses(), ["created", "updated", "updated", "failed"]);
    assert_eq!(reply.result(1)["record"], reply.result(0)["record"]);
    let contact = acme.get("/contacts/PID-1").await.body;
    assert_eq!((&contact["name"], &contact["tags"]), (&json!("Hung"), &json!(["fresh", "VIP"])));
    assert_eq!(contact["emails"].as_array().unwrap().len(), 2);
    assert_eq!(instance.db_count("customer_identities"), 2);
    let lines = acme.history("/contacts/PID-1").await;
    let tags =
        &lines.iter().find(|l| l["details"]["changes"]["tag"].is_object()).unwrap()["details"];
    assert_eq!(tags["changes"]["tag"], json!({"old": ["fresh"], "new": ["fresh", "VIP"]}));
}

#[actix_web::test]
async fn a_dry_run_tells_the_record_and_changes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "a@x.com")]).await.expect(200);
    let before = acme.get("/contacts/PID-1").await.body;
    let data = json!({"emails": [{"value": "a@x.com"}], "name": "Hung", "companyContact": {"name": "New"}});
    let body = json!({"senderUser": "ann@acme.test", "data": [update(data)]});
    let reply = listener.post_with("?dryRun=true", &body).await.expect(200);
    assert_eq!(reply.statuses(), ["updated"]);
    assert_eq!(reply.result(0)["record"]["id"], before["id"]);
    assert_eq!(reply.result(0)["record"]["code"], "PID-1");
    assert_eq!(reply.result(0)["related"][0]["id"], Value::Null, "what is not made has no id");
    assert_eq!(acme.get("/contacts/PID-1").await.body, before);
    assert_eq!(instance.db_count("history"), 1);
}

/// A name finds a record only where it is the only one of it, of the kind that is meant.
#[actix_web::test]
async fn a_name_finds_the_one_record_that_has_it() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let add = |name: &str, lastname: &str, r#type: i32| {
        action("add-contact", json!({"name": name, "lastname": lastname, "type": r#type}))
    };
    listener
        .send(&[
            add("Huy", "Le", 0),
            add("HUY", "Vo", 0),
            add("Huy", "", 1),
            add("Only", "", 0),
            action("add-lead", json!({"name": "Only"})),
        ])
        .await
        .expect(200);
    for (data, found) in [
        (json!({"name": "only"}), Some("PID-3")),
        (json!({"name": "huy", "lastname": "VO"}), Some("PID-2")),
        (json!({"name": "huy", "type": 1}), Some("CID-1")),
        (json!({"name": "huy", "type": 0}), None),
        (json!({"name": "huy", "lastname": "No"}), None),
        (json!({"name": "nobody"}), None),
    ] {
        let mut data = data;
        data["phones"] = json!([{"value": "0905000009"}]);
        let body = json!({"senderUser": "ann@acme.test", "data": [update(data.clone())]});
        let reply = listener.post_with("?dryRun=true", &body).await;
        match found {
            Some(code) => assert_eq!(reply.result(0)["record"]["code"], code, "{data}"),
            None => assert_eq!(reply.fault(0).0, "not_found", "{data}"),
        }
    }
}

/// The documents' own payloads, for records that this org has.
fn sample(text: &str, found: &str, code: &str) -> Value {
    let text = text
        .replace("huy.nguyenviet@htklabs.com", "ann@acme.test")
        .replace("Nhom test", "Sales")
        .replace(found, code);
    serde_json::from_str(&text).unwrap()
}

#[actix_web::test]
async fn the_documents_examples_update_and_their_templates_leave_all_as_it_is() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener
        .send(&[
            person("Old", "old@x.com"),
            action("add-lead", json!({"name": "Old", "contactId": "1234567897"})),
        ])
        .await
        .expect(200);
    for (path, template, example, code) in [
        (
            "/contacts/PID-1",
            include_str!("samples/update-contact-template.json"),
            sample(include_str!("samples/update-contact.json"), "PID-678", "PID-1"),
            "PID-1",
        ),
        (
            "/leads/LID-1",
            include_str!("samples/update-lead-template.json"),
            sample(include_str!("samples/update-lead.json"), "LID-123", "LID-1"),
            "LID-1",
        ),
    ] {
        let before = acme.get(path).await.expect(200).body;
        let template = sample(template, "PID-678", code);
        let reply = listener.post(&template).await.expect(200);
        assert_eq!(reply.statuses(), ["unchanged"], "{path}");
        assert_eq!(acme.get(path).await.body, before);

        let reply = listener.post(&example).await.expect(200);
        assert_eq!(reply.statuses(), ["updated"], "{path}");
        let after = acme.get(path).await.body;
        assert_eq!(after["dateOfBirth"], "1993-01-02");
        assert_eq!(
            (&after["tags"], &after["company"]["name"]),
            (&json!(["webhook"]), &json!("GOOGLE"))
        );
        assert_eq!(listener.post(&example).await.statuses(), ["unchanged"], "{path} again");
    }
}

/// The name under which a company is found moves with it.
#[actix_web::test]
async fn a_renamed_company_is_found_by_its_new_name_only() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let with_company = |email: &str, company: &str| {
        let mut person = person("x", email);
        person["data"]["companyContact"] = json!({"name": company});
        person
    };
    listener.send(&[with_company("a@x.com", "Old")]).await.expect(200);
    listener.act("update-contact", json!({"customerId": "CID-1", "name": "New"})).await.expect(200);
    let posts = [with_company("b@x.com", "NEW"), with_company("c@x.com", "Old")];
    let reply = listener.send(&posts).await.expect(200);
    assert_eq!(reply.result(0)["related"][0]["code"], "CID-1");
    assert_eq!(reply.result(1)["related"][0]["status"], "created");
    assert_eq!(instance.db_count("customer_identities WHERE kind = 5"), 2);
}

#[actix_web::test]
async fn leads_are_updated_among_leads() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener
        .send(&[
            person("Huy", "a@x.com"),
            action("add-lead", json!({"name": "Huy", "emails": [{"value": "a@x.com"}]})),
        ])
        .await
        .expect(200);
    let data = json!({"emails": [{"value": "a@x.com"}], "title": "Dr", "companyLead": "GOOGLE"});
    let reply = listener.act("update-lead", data).await.expect(200);
    assert_eq!(reply.result(0)["record"]["code"], "LID-1");
    let lead = acme.get("/leads/LID-1").await.body;
    assert_eq!((&lead["title"], &lead["company"]["name"]), (&json!("Dr"), &json!("GOOGLE")));
    assert_eq!(acme.get("/contacts/PID-1").await.body["title"], Value::Null);
}

/// A read that is not locked would lose all but one of what two processes add at once.
#[actix_web::test]
async fn what_64_updates_of_one_record_add_at_once_is_all_there() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "a@x.com")]).await.expect(200);
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..POSTS).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let data = json!({"emails": [{"value": "a@x.com"}, {"value": format!("n{i}@x.com")}], "tag": format!("t{i}")});
        async move { listener.act("update-contact", data).await.expect(200) }
    });
    assert_eq!(count(&join_all(posts).await, "updated"), POSTS);
    let contact = acme.get("/contacts/PID-1").await.body;
    assert_eq!(contact["emails"].as_array().unwrap().len(), POSTS + 1);
    assert_eq!(contact["tags"].as_array().unwrap().len(), POSTS);
    assert_eq!(instance.db_count("customer_identities"), i64::try_from(POSTS).unwrap() + 1);
    assert_eq!(instance.db_count("history WHERE kind = 'updated'"), 64);
}

#[actix_web::test]
async fn an_identifier_that_many_records_want_at_once_goes_to_one() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let people: Vec<Value> = (0..32).map(|i| person("x", &format!("p{i}@x.com"))).collect();
    listener.send(&people).await.expect(200);
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..32).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let data = json!({"emails": [{"value": format!("p{i}@x.com")}], "passport": "wanted"});
        async move { listener.act("update-contact", data).await }
    });
    let replies = join_all(posts).await;
    assert_eq!(count(&replies, "updated"), 1);
    let refused = replies.iter().filter(|reply| reply.status == 422);
    assert!(refused.clone().all(|reply| reply.fault(0).0 == "identifier_taken"));
    assert_eq!(refused.count(), 31);
    assert_eq!(instance.db_count("customers WHERE passport = 'wanted'"), 1);
}

/// Records are locked in one order: otherwise most such batches end in a deadlock.
#[actix_web::test]
async fn batches_of_updates_that_overlap_in_opposite_orders_all_end_well() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let people: Vec<Value> = (0..50).map(|i| person("x", &format!("p{i}@x.com"))).collect();
    listener.send(&people).await.expect(200);
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..16_usize).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let mut actions: Vec<Value> = (0..50)
            .map(|n| {
                update(json!({"emails": [{"value": format!("p{n}@x.com")}, {"value": format!("p{n}-{i}@x.com")}]}))
            })
            .collect();
        if i % 3 == 0 {
            actions.reverse();
        }
        async move { listener.send(&actions).await.expect(200) }
    });
    join_all(posts).await;
    assert_eq!(instance.db_count("history WHERE kind = 'updated'"), 16 * 50);
    assert_eq!(instance.db_count("customer_identities"), 17 * 50);
}

/// Between finding a record by its e-mail and locking it, another lets go of that e-mail: what was
/// found by it must not be changed.
#[actix_web::test]
async fn a_record_that_lost_its_identifier_while_it_was_waited_for_is_not_found() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "a@x.com")]).await.expect(200);
    let mut rival = instance.db_connection();
    rival
        .batch_execute("BEGIN; SELECT 1 FROM customers FOR UPDATE; DELETE FROM customer_identities")
        .unwrap();
    let post =
        listener.act("update-contact", json!({"emails": [{"value": "a@x.com"}], "title": "Dr"}));
    let rival = async {
        while instance.db_count(
            "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        ) == 0
        {
            tokio::task::yield_now().await;
        }
        rival.batch_execute("COMMIT").unwrap();
    };
    let (reply, ()) = join(post, rival).await;
    assert_eq!(reply.expect(422).fault(0).0, "not_found");
    assert_eq!(acme.get("/contacts/PID-1").await.body["title"], Value::Null);
}

#[actix_web::test]
async fn ten_updates_take_as_many_statements_as_a_thousand() {
    let mut counts = Vec::new();
    for size in [10, 1000] {
        let instance = Instance::start().await;
        let listener = instance.acme().listener().await;
        let people: Vec<Value> = (0..size)
            .map(|i| {
                action("add-contact", json!({"name": format!("P{i}"), "tag": "old", "passport": format!("{i}"),
                    "emails": [{"value": format!("p{i}@x.com")}], "companyContact": {"name": format!("Co {}", i % 5)}}))
            })
            .collect();
        listener.send(&people).await.expect(200);
        let updates: Vec<Value> = (0..size)
            .map(|i| {
                let emails = json!([{"value": format!("p{i}@x.com")}, {"value": format!("n{i}@x.com")}]);
                update(json!({"name": format!("P{i}"), "emails": emails, "passport": null, "tag": "new",
                    "title": "Dr", "companyContact": {"name": "GOOGLE"}}))
            })
            .collect();
        let before = instance.app.db.statements_sent();
        let reply = listener.send(&updates).await.expect(200);
        counts.push(instance.app.db.statements_sent() - before);
        assert_eq!(reply.body["summary"]["updated"], size);
    }
    assert_eq!(counts[0], counts[1]);
}
