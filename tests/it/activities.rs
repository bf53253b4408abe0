//! add-activity over HTTP, and activities as they are read (`listener.md` 5, 7; `api.md` 5).

use crate::support::{Instance, Listener, Process, action, payload, person};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A call of who has that e-mail.
fn call(email: &str, fields: &Value) -> Value {
    let mut call = json!({"kind": "call", "startedAt": "2026-01-31T08:00:00Z", "email": email});
    call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    call
}

async fn with_a_person(instance: &Instance) -> Listener<'_> {
    let listener = instance.acme().listener().await;
    listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
    listener
}

#[actix_web::test]
async fn a_posted_activity_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    listener
        .act("add-deal", json!({"dealId": "D1", "name": "Order", "stage": "New", "dealWith": {"customerId": "PID-1"}}))
        .await
        .expect(200);
    let fields = json!({
        "source": "pbx", "externalId": 7, "endedAt": "2026-01-31T15:05:00+07:00", "outcome": "answered",
        "subject": "Shop", "body": "Hello", "operator": "ANN@acme.test", "details": {"queue": {"no": 1}},
        "dealId": "D1", "permit": {"status": 3, "group": "sales"},
    });
    let reply = listener.act("add-activity", call("huy@example.com", &fields)).await.expect(200);
    let record = &reply.result(0)["record"];
    assert_eq!((&record["model"], &record["code"]), (&json!("activity"), &Value::Null));
    assert_eq!(reply.result(0)["status"], "created");

    let path = format!("/activities/{}", record["id"].as_str().unwrap());
    let mut body = acme.get(&path).await.expect(200).body;
    assert_eq!(acme.get("/activities").await.data(), [body.clone()]);
    let members = body.as_object_mut().unwrap();
    assert!(members.remove("createdAt").is_some_and(|it| it == members["updatedAt"]));
    members.remove("updatedAt");
    let contact = acme.get("/contacts/PID-1").await.body;
    assert_eq!(
        body,
        json!({
            "id": record["id"], "kind": "call", "source": "pbx", "externalId": "7",
            "startedAt": "2026-01-31T08:00:00Z", "endedAt": "2026-01-31T08:05:00Z",
            "outcome": "answered", "subject": "Shop", "body": "Hello", "operator": "ann@acme.test",
            "details": {"queue": {"no": 1}},
            "customer": {"id": contact["id"], "contactType": "customer", "customerId": "PID-1", "name": "Huy"},
            "dealId": "D1", "permit": {"status": 3, "group": "Sales", "users": []},
            "owner": {"email": "ann@acme.test", "name": "ann"},
        })
    );
}

#[actix_web::test]
async fn the_sample_is_applied_as_it_stands() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    listener.send(&[person("Lan", "lan.tran@example.com")]).await.expect(200);
    let sample = serde_json::from_str(include_str!("samples/add-activity.json")).unwrap();
    let reply = listener.post(&sample).await.expect(200);
    assert_eq!((reply.statuses(), &reply.result(0)["warnings"]), (vec!["created"], &json!([])));
}

#[actix_web::test]
async fn an_activity_heard_again_is_changed_and_both_histories_tell() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let first = json!({"externalId": "7", "details": {"a": 1, "b": 2}});
    let again = json!({"externalId": "7", "outcome": "missed", "details": {"a": null}});
    let actions = [
        action("add-activity", call("huy@example.com", &first)),
        action("add-activity", again.clone()),
        action("add-activity", again),
    ];
    let reply = listener.send(&actions).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "updated", "unchanged"]);
    let reply = listener.act("add-activity", json!({"externalId": "7", "subject": "x"})).await;
    assert_eq!(reply.statuses(), ["updated"]);
    let read = acme.get("/activities").await.data()[0].clone();
    assert_eq!((&read["outcome"], &read["details"]), (&json!("missed"), &json!({"b": 2})));
    let kinds: Vec<Value> = acme
        .history("/contacts/PID-1")
        .await
        .into_iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(kinds, ["activity_updated", "activity_updated", "activity_added", "created"]);
}

#[actix_web::test]
async fn activities_are_filtered_by_what_they_are_and_whose() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let lead = json!({"name": "Lan", "emails": [{"value": "lan@example.com"}]});
    let deal = json!({"dealId": "D1", "name": "Order", "stage": "New", "dealWith": {"customerId": "PID-1"}});
    let chat = json!({
        "kind": "chat", "startedAt": "2026-02-01T00:00:00Z", "email": "lan@example.com",
        "contactType": "lead", "source": "site", "subject": "Delivery", "body": "Where is it?",
    });
    listener
        .send(&[
            action("add-lead", lead),
            action("add-deal", deal),
            action(
                "add-activity",
                call("huy@example.com", &json!({"outcome": "missed", "dealId": "D1"})),
            ),
            action("add-activity", chat),
        ])
        .await
        .expect(200);
    let lead_id = acme.get("/leads/LID-1").await.body["id"].as_str().unwrap().to_owned();
    for (query, kinds) in [
        ("customer=pid-1", vec!["call"]),
        ("customer=LID-1", vec!["chat"]),
        (&format!("customer={lead_id}"), vec!["chat"]),
        ("deal=D1", vec!["call"]),
        ("kind=chat", vec!["chat"]),
        ("source=listener", vec!["call"]),
        ("outcome=missed", vec!["call"]),
        ("q=WHERE%20delivery", vec!["chat"]),
        ("from=2026-01-31T08:00:00Z&to=2026-02-01T00:00:00Z", vec!["call"]),
        ("", vec!["chat", "call"]),
    ] {
        let found = acme.get(&format!("/activities?{query}")).await.expect(200);
        assert_eq!(found.each("kind"), kinds, "{query}");
    }
    for (query, pointer) in [("kind=fax", "/kind"), ("customer=12", "/customer"), ("tag=x", "/tag")]
    {
        let problem = acme.get(&format!("/activities?{query}")).await.expect(422);
        assert_eq!(problem.body["errors"][0]["pointer"], pointer, "{query}");
    }
}

#[actix_web::test]
async fn members_see_the_activities_that_permits_let_them_see() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    for (subject, permit) in [
        ("all", json!({"status": 1})),
        ("mine", json!({"status": 2})),
        ("sales", json!({"status": 3, "group": "Sales"})),
        ("bob", json!({"status": 4, "users": ["bob@acme.test"]})),
    ] {
        let fields = json!({"subject": subject, "permit": permit});
        listener.act("add-activity", call("huy@example.com", &fields)).await.expect(200);
    }
    let seen = acme.get_as("bob", "/activities").await.expect(200);
    assert_eq!(seen.each("subject"), ["bob", "sales", "all"]);
}

#[actix_web::test]
async fn an_erased_customer_takes_their_activities_along_and_out_of_kept_deliveries() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let fields = json!({"externalId": "7", "body": "top secret"});
    listener.act("add-activity", call("huy@example.com", &fields)).await.expect(200);
    acme.delete("/contacts/PID-1").await.expect(204);
    assert_eq!(instance.db_count("activities"), 0);
    assert_eq!(instance.db_count("deliveries WHERE convert_from(body, 'UTF8') LIKE '%secret%'"), 0);
}

/// Whoever is second sees what the first one made.
#[actix_web::test]
async fn the_same_activity_told_64_times_at_once_over_two_processes_is_one() {
    const POSTS: usize = 64;
    let instance = Instance::start().await;
    let listener = with_a_person(&instance).await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts =
        (0..POSTS).map(|i| {
            let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
            let fields = json!({"externalId": "7", "details": {format!("m{i}"): i}});
            async move {
                listener.act("add-activity", call("huy@example.com", &fields)).await.expect(200)
            }
        });
    let replies = join_all(posts).await;
    let created = replies.iter().filter(|reply| reply.statuses() == ["created"]).count();
    assert_eq!(created, 1);
    let read = instance.acme().get("/activities").await.data()[0].clone();
    assert_eq!(read["details"].as_object().unwrap().len(), POSTS);
}

#[actix_web::test]
async fn a_dry_run_of_an_activity_keeps_none_and_a_replay_of_all_leaves_out_what_is_there() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = with_a_person(&instance).await;
    let actions = [action("add-activity", call("huy@example.com", &json!({})))];
    let dry = listener.post_with("?dryRun=true", &payload(&actions)).await.expect(200);
    assert_eq!(dry.statuses(), ["created"]);
    assert_eq!(dry.result(0)["record"]["id"], Value::Null);
    assert_eq!(instance.db_count("activities"), 0);
    let reply = listener.send(&actions).await.expect(200);
    let path = format!("/deliveries/{}/replay", reply.body["requestId"].as_str().unwrap());
    let replay = acme.post(&path, &json!({"only": "all"})).await.expect(200);
    assert_eq!(replay.body["warnings"][0]["code"], "already_applied");
    assert_eq!(instance.db_count("activities"), 1);
}
