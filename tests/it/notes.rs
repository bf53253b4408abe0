//! add-note over HTTP, and notes as they are read (`listener.md` 5, 7; `api.md` 5).

use crate::support::{Instance, Listener, action, person};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A note on who has that e-mail, with the permit's status.
fn note(email: &str, body: &str, permit: Value) -> Value {
    action("add-note", json!({"body": body, "email": email, "permit": permit}))
}

async fn with_a_person(instance: &Instance) -> Listener<'_> {
    let listener = instance.acme().listener().await;
    listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
    listener
}

#[actix_web::test]
async fn a_posted_note_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let reply = listener
        .act(
            "add-note",
            json!({"body": "Called.", "email": "HUY@example.com", "channel": "kite chat", "tag": "webhook",
                   "permit": {"status": 3, "group": "sales"}}),
        )
        .await
        .expect(200);
    let record = &reply.result(0)["record"];
    assert_eq!((&record["model"], &record["code"]), (&json!("note"), &Value::Null));
    assert_eq!(reply.result(0)["status"], "created");

    let path = format!("/notes/{}", record["id"].as_str().unwrap());
    let read = acme.get(&path).await.expect(200);
    assert!(read.header("etag").is_some());
    let mut body = read.body;
    assert_eq!(acme.get("/notes").await.data(), [body.clone()]);
    assert!(body.as_object_mut().unwrap().remove("createdAt").is_some());
    let contact = acme.get("/contacts/PID-1").await.body;
    assert_eq!(
        body,
        json!({
            "id": record["id"], "body": "Called.", "model": "contact",
            "target": {"id": contact["id"], "contactType": "customer", "customerId": "PID-1", "name": "Huy"},
            "channel": "Kite Chat", "permit": {"status": 3, "group": "Sales", "users": []},
            "owner": {"email": "ann@acme.test", "name": "ann"},
        })
    );
    assert_eq!(contact["tags"], json!(["webhook"]));
    assert!(contact["updatedAt"].as_str() > contact["createdAt"].as_str());
}

/// What the documents call a customer's channel is a source.
#[actix_web::test]
async fn a_note_that_came_by_a_source_shows_it_and_keeps_it_from_being_deleted() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let source = acme.post("/sources", &json!({"name": "Radio"})).await.expect(201).body;
    let data = json!({"body": "Called.", "email": "huy@example.com", "channel": "radio"});
    let reply = listener.act("add-note", data).await.expect(200);
    assert_eq!(reply.result(0)["warnings"], json!([]));
    assert_eq!(acme.get("/notes").await.data()[0]["channel"], "Radio");
    let path = format!("/sources/{}", source["id"].as_str().unwrap());
    assert_eq!(acme.delete(&path).await.expect(409).problem().0, "in_use");
}

#[actix_web::test]
async fn a_notes_text_is_in_no_history() {
    let instance = Instance::start().await;
    let listener = with_a_person(&instance).await;
    listener.send(&[note("huy@example.com", "top secret", Value::Null)]).await.expect(200);
    let history = instance.acme().history("/contacts/PID-1").await;
    assert_eq!(history[0]["kind"], "note_added");
    assert!(history[0]["details"]["note"]["id"].is_string());
    assert_eq!(instance.db_count("history WHERE details::text LIKE '%secret%'"), 0);
}

/// A note has a permit of its own: it may be open where the customer is hidden, and the reverse.
#[actix_web::test]
async fn a_members_reads_are_what_the_notes_own_permits_admit_him_to() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let mut hidden = person("Hidden", "hidden@example.com");
    hidden["data"]["permit"] = json!({"status": 2});
    let made = listener
        .send(&[
            hidden,
            note("hidden@example.com", "open", json!({"status": 1})),
            note("hidden@example.com", "mine", json!({"status": 2})),
            note("hidden@example.com", "sales", json!({"status": 3, "group": "Sales"})),
            note("hidden@example.com", "support", json!({"status": 3, "group": "Support"})),
            note("hidden@example.com", "bob", json!({"status": 4, "users": ["bob@acme.test"]})),
            note("hidden@example.com", "admin", json!({"status": 4, "users": ["admin@acme.test"]})),
        ])
        .await
        .expect(200);
    for (who, seen) in [
        ("bob", vec!["bob", "sales", "open"]),
        ("ann", vec!["admin", "bob", "support", "sales", "mine", "open"]),
        ("owner", vec!["admin", "bob", "support", "sales", "mine", "open"]),
    ] {
        assert_eq!(acme.get_as(who, "/notes").await.expect(200).each("body"), seen, "{who}");
    }
    let id = |index: usize| made.result(index)["record"]["id"].as_str().unwrap().to_owned();
    acme.get_as("bob", &format!("/notes/{}", id(2))).await.expect(404);
    let open = acme.get_as("bob", &format!("/notes/{}", id(1))).await.expect(200).body;
    assert_eq!(
        (&open["target"]["customerId"], &open["target"]["name"]),
        (&json!("PID-1"), &Value::Null)
    );
    // Finding the note by what only the hidden customer has would tell of them.
    let found = acme.get_as("bob", "/notes?email=hidden%40example.com").await.expect(200);
    assert_eq!(found.data().len(), 0);
    let found = acme.get_as("ann", "/notes?email=hidden%40example.com&q=SUPP").await.expect(200);
    assert_eq!(found.each("body"), ["support"]);
    instance.globex().get(&format!("/notes/{}", id(1))).await.expect(404);
}

#[actix_web::test]
async fn a_deal_is_noted_on_in_its_own_history() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let stage = acme_stage(&instance).await;
    let deal = json!({"dealId": "A-1", "name": "Booking", "stage": stage, "permit": {"status": 2},
                      "dealWith": {"emails": [{"value": "huy@example.com"}]}});
    let reply = listener
        .send(&[
            action("add-deal", deal),
            action("add-note", json!({"body": "on it", "model": "deal", "dealId": "A-1"})),
            action("add-note", json!({"body": "by name", "model": "deal", "name": "BOOKING"})),
            action("add-note", json!({"body": "nowhere", "model": "deal", "name": "Other"})),
        ])
        .await
        .expect(207);
    assert_eq!(reply.statuses(), ["created", "created", "created", "failed"]);
    assert_eq!(reply.fault(3), ("not_found", "/data/3/data/name"));
    let history = acme.history("/deals/A-1").await;
    let kinds: Vec<&str> = history.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["note_added", "note_added", "created"]);
    let notes = acme.get("/notes").await.expect(200);
    assert_eq!(notes.data()[0]["model"], "deal");
    assert_eq!(notes.data()[0]["target"]["dealId"], "A-1");
    assert_eq!(notes.data()[0]["target"]["name"], "Booking");
    let hidden = acme.get_as("bob", "/notes").await.expect(200);
    assert_eq!(hidden.data()[0]["target"]["name"], Value::Null);
}

/// The name of a stage that a new org has.
async fn acme_stage(instance: &Instance) -> String {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Stage {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    diesel::sql_query("SELECT name FROM picklist_entries WHERE list = 'deal_stage' LIMIT 1")
        .get_result::<Stage>(&mut instance.db_connection())
        .unwrap()
        .name
}

#[actix_web::test]
async fn simultaneous_notes_add_their_tags_all_and_each_once() {
    let instance = Instance::start().await;
    let other = instance.another();
    let listener = with_a_person(&instance).await;
    let posts = (0..20).map(|i| {
        let listener = if i % 2 == 0 { listener.clone() } else { listener.on(&other) };
        async move {
            let data = json!({"body": "x", "email": "huy@example.com", "tag": format!("same, t{}", i % 5)});
            listener.act("add-note", data).await.expect(200);
        }
    });
    join_all(posts).await;
    let contact = instance.acme().get("/contacts/PID-1").await.body;
    assert_eq!(contact["tags"], json!(["same", "t0", "t1", "t2", "t3", "t4"]));
    assert_eq!(instance.db_count("notes"), 20);
    assert_eq!(instance.db_count("tags"), 6);
}

#[actix_web::test]
async fn a_dry_run_adds_neither_note_nor_tag_and_names_none() {
    let instance = Instance::start().await;
    let listener = with_a_person(&instance).await;
    let data = json!({"body": "x", "email": "huy@example.com", "tag": "new"});
    let body = crate::support::payload(&[action("add-note", data)]);
    let reply = listener.post_with("?dryRun=true", &body).await.expect(200);
    assert_eq!(reply.result(0)["status"], "created");
    assert_eq!(reply.result(0)["record"], json!({"model": "note", "id": null, "code": null}));
    assert_eq!(instance.db_count("notes") + instance.db_count("tags"), 0);
}
