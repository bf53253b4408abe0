//! Deals over HTTP: what is posted, what is read, by whom, and who wins a race (`listener.md` 7).

use crate::support::{Instance, Listener, Process, Reply, action, person};
use futures_util::future::join_all;
use serde_json::{Value, json};

const POSTS: usize = 64;

/// The least that makes a deal, with these fields besides.
fn deal(name: &str, fields: Value) -> Value {
    let mut data = json!({"name": name, "stage": "New",
        "dealWith": {"name": "Huy", "emails": [{"value": "huy@example.com"}]}});
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    data.as_object_mut().unwrap().extend(fields);
    data
}

async fn add(listener: &Listener<'_>, data: Value) -> Reply {
    listener.act("add-deal", data).await.expect(200)
}

fn kinds(history: &[Value]) -> Vec<&str> {
    history.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

/// Posts them all at once at two more servers over the same database.
async fn all_at_once(instance: &Instance, data: impl Fn(usize) -> Value) -> Vec<Reply> {
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(instance), Process::start(instance));
    let posts = (0..POSTS).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let data = data(i);
        async move { add(&listener, data).await }
    });
    join_all(posts).await
}

fn count(replies: &[Reply], status: &str) -> usize {
    replies.iter().filter(|reply| reply.statuses() == [status]).count()
}

#[actix_web::test]
async fn a_posted_deal_reads_back_with_every_field() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let reply = add(
        &listener,
        json!({
            "dealId": 9_007_199_254_740_993_u64, "name": "Booking-ID #0003", "value": 50000.1250, "currency": "usd",
            "description": "d", "stage": "won", "category": "renewal", "package": "Basic",
            "closeDate": "2026-11-21", "cusFields": [{"name": "points", "value": 7}],
            "owner_opportunity": {"users": ["bob@acme.test"], "groups": ["SALES"]},
            "permit": {"status": 4, "users": ["ann@acme.test"]},
            "dealWith": {"name": "Huy", "emails": [{"value": "huy@example.com"}]},
            "contacts": [{"contactType": "lead", "name": "Lan", "phones": [{"value": "0905000001"}]}],
        }),
    )
    .await;
    let result = reply.result(0);
    assert_eq!(
        (&result["record"]["model"], &result["record"]["code"], &result["warnings"]),
        (&json!("deal"), &json!("9007199254740993"), &json!([]))
    );
    let related: Vec<(&Value, &Value, &Value)> = result["related"]
        .as_array()
        .unwrap()
        .iter()
        .map(|related| (&related["role"], &related["status"], &related["code"]))
        .collect();
    assert_eq!(
        related,
        [
            (&json!("dealWith"), &json!("created"), &json!("PID-1")),
            (&json!("contact"), &json!("created"), &json!("LID-1")),
        ]
    );

    let mut body = acme.get("/deals/9007199254740993").await.expect(200).body;
    let id = result["record"]["id"].as_str().unwrap();
    assert_eq!(acme.get(&format!("/deals/{id}")).await.expect(200).body, body);
    for made in ["id", "createdAt", "updatedAt"] {
        assert!(body.as_object_mut().unwrap().remove(made).is_some());
    }
    assert_eq!(
        body,
        json!({
            "dealId": "9007199254740993", "name": "Booking-ID #0003", "value": "50000.125", "currency": "USD",
            "description": "d", "stage": "Won", "category": "Renewal", "package": "Basic",
            "closeDate": "2026-11-20T17:00:00Z", "cusFields": [{"name": "Points", "value": "7"}],
            "owners": {"users": ["bob@acme.test"], "groups": ["Sales"]},
            "permit": {"status": 4, "group": null, "users": ["ann@acme.test"]},
            "dealWith": {"contactType": "customer", "customerId": "PID-1", "name": "Huy"},
            "contacts": [{"contactType": "lead", "customerId": "LID-1", "name": "Lan"}],
        })
    );
}

/// A second run would make a second customer.
#[actix_web::test]
async fn whoever_has_no_identifier_is_made_for_no_deal_and_no_ticket() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    for (action_type, data, pointer) in [
        ("add-deal", deal("One", json!({"dealWith": {"name": "Lan"}})), "/dealWith"),
        ("add-deal", deal("One", json!({"contacts": [{"name": "Lan"}]})), "/contacts/0"),
        ("add-ticket", json!({"body": "x", "name": "Lan"}), ""),
    ] {
        let reply = listener.act(action_type, data).await.expect(422);
        let error = &reply.result(0)["error"];
        assert_eq!(error["code"], "missing_identifier", "{action_type}{pointer}");
        assert_eq!(error["pointer"], format!("/data/0/data{pointer}"), "{action_type}");
    }
    for table in ["customers", "deals", "tickets"] {
        assert_eq!(instance.db_count(table), 0, "{table}");
    }
}

#[actix_web::test]
async fn an_update_changes_what_it_names_and_is_told_in_the_histories() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    add(&listener, deal("Trip", json!({"dealId": "A/1 é", "value": 5, "category": "Upsell"})))
        .await;
    let path = "/deals/A%2F1%20%C3%A9";
    let before = acme.get(path).await.expect(200).body;

    let update = json!({"dealId": "A/1 é", "name": "Trip", "value": "99999999999999.9999", "category": null,
        "contacts": [{"name": "Ann", "emails": [{"value": "a@x.com"}]}]});
    assert_eq!(add(&listener, update.clone()).await.statuses(), ["updated"]);
    let after = acme.get(path).await.expect(200).body;
    assert_eq!(
        (&after["value"], &after["category"], &after["id"], &after["createdAt"]),
        (&json!("99999999999999.9999"), &Value::Null, &before["id"], &before["createdAt"])
    );
    assert_eq!(after["contacts"][0]["customerId"], "PID-2");
    assert_eq!(after["owners"], before["owners"]);
    let again = json!({"dealId": "A/1 é", "name": "Trip", "value": "99999999999999.9999000"});
    assert_eq!(add(&listener, again).await.statuses(), ["unchanged"]);

    let history = acme.history(path).await;
    assert_eq!(kinds(&history), ["updated", "created"]);
    assert_eq!(
        history[0]["details"]["changes"],
        json!({"value": {"old": "5", "new": "99999999999999.9999"}, "category": {"old": "Upsell", "new": null},
               "contacts": {"old": [], "new": ["PID-2"]}})
    );
    let history = acme.history("/contacts/PID-1").await;
    assert_eq!(kinds(&history), ["deal_updated", "deal_added", "created"]);
    assert_eq!(history[0]["details"], json!({"deal": {"id": before["id"], "dealId": "A/1 é"}}));
    assert_eq!(history[0]["summary"], "Deal A/1 é was updated.");
    assert_eq!(kinds(&acme.history("/contacts/PID-2").await), ["deal_added", "created"]);
}

/// Without the owners' groups in the query, Bob would not see what Bob's group owns; without the
/// customers' permits, the deal would tell Bob the name of one who is hidden from Bob.
#[actix_web::test]
async fn a_member_sees_the_deals_that_he_or_his_group_owns_or_a_permit_shows_him() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let hidden = json!({"status": 2});
    let secret = json!({"name": "Secret", "emails": [{"value": "s@x.com"}], "permit": hidden});
    for (name, fields) in [
        ("anns", json!({"permit": hidden})),
        ("bobs", json!({"permit": hidden, "owner_opportunity": {"users": ["bob@acme.test"]}})),
        (
            "sales",
            json!({"permit": hidden, "owner_opportunity": {"groups": ["Sales"]}, "dealWith": secret}),
        ),
        (
            "shown to sales",
            json!({"permit": {"status": 3, "group": "Sales"}, "contacts": [secret]}),
        ),
        ("shown to bob", json!({"permit": {"status": 4, "users": ["bob@acme.test"]}})),
        ("shown to support", json!({"permit": {"status": 3, "group": "Support"}})),
        ("everybody", json!({})),
    ] {
        add(&listener, deal(name, fields)).await;
    }
    let bobs = acme.get_as("bob", "/deals").await.expect(200);
    assert_eq!(bobs.each("name"), ["everybody", "shown to bob", "shown to sales", "sales", "bobs"]);
    let anns = acme.get_as("ann", "/deals").await.expect(200);
    assert_eq!(
        anns.each("name"),
        ["everybody", "shown to support", "shown to bob", "shown to sales", "anns"]
    );
    assert_eq!(acme.get("/deals").await.expect(200).data().len(), 7);
    for path in ["/deals/1", "/deals/1/history", "/deals/6"] {
        acme.get_as("bob", path).await.expect(404);
    }
    acme.get_as("bob", "/deals/3/history").await.expect(200);
    instance.globex().get("/deals/1").await.expect(404);

    let named = json!({"contactType": "customer", "customerId": "PID-2", "name": "Secret"});
    let by_code = json!({"contactType": "customer", "customerId": "PID-2", "name": null});
    assert_eq!(acme.get_as("bob", "/deals/3").await.body["dealWith"], by_code);
    assert_eq!(acme.get_as("bob", "/deals/4").await.body["contacts"], json!([by_code]));
    assert_eq!(acme.get_as("ann", "/deals/4").await.body["contacts"], json!([named]));
}

#[actix_web::test]
async fn a_list_is_narrowed_by_its_filters_and_paged() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    add(&listener, deal("Trip to Huế", json!({"dealId": "T-1"}))).await;
    add(&listener, deal("Hotel", json!({"owner_opportunity": {"users": ["bob@acme.test"]}}))).await;
    add(&listener, deal("Trip to Đà Nẵng", json!({"dealId": "T-2"}))).await;
    for (query, names) in [
        ("name=HOTEL", vec!["Hotel"]),
        ("owner=BOB%40acme.test", vec!["Hotel"]),
        ("q=trip%20HU%E1%BA%BE", vec!["Trip to Huế"]),
        ("q=t-2", vec!["Trip to Đà Nẵng"]),
        ("q=%25", vec![]),
        ("createdTo=2000-01-01T00:00:00Z", vec![]),
        ("createdFrom=2000-01-01T00:00:00Z&q=t-", vec!["Trip to Đà Nẵng", "Trip to Huế"]),
    ] {
        assert_eq!(
            acme.get(&format!("/deals?{query}")).await.expect(200).each("name"),
            names,
            "{query}"
        );
    }
    let first = acme.get("/deals?limit=2").await.expect(200);
    assert_eq!(first.each("name"), ["Trip to Đà Nẵng", "Hotel"]);
    let cursor = first.body["page"]["nextCursor"].as_str().unwrap();
    let rest = acme.get(&format!("/deals?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.each("name"), ["Trip to Huế"]);
    assert_eq!(acme.get("/deals?stage=New").await.expect(422).problem().0, "invalid_query");
}

#[actix_web::test]
async fn a_dry_run_tells_what_it_would_make_without_ids_and_makes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let actions = [
        action("add-deal", deal("A", json!({}))),
        action("add-deal", deal("B", json!({"dealId": 7}))),
    ];
    let body = json!({"senderUser": "ann@acme.test", "data": actions});
    let reply = listener.post_with("?dryRun=true", &body).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"]);
    for index in [0, 1] {
        let nothing = json!({"model": "deal", "id": null, "code": null});
        assert_eq!(reply.result(index)["record"], nothing);
        assert_eq!(reply.result(index)["related"][0]["code"], Value::Null);
    }
    assert_eq!(instance.db_count("deals"), 0);
    assert_eq!(instance.db_count("customers"), 0);
}

/// A sender who numbers deals would otherwise meet the numbers of those without an id.
#[actix_web::test]
async fn the_next_id_passes_over_those_that_senders_took() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let own: Vec<Value> = (1..=40)
        .map(|id| action("add-deal", deal(&format!("own {id}"), json!({"dealId": id}))))
        .collect();
    listener.send(&own).await.expect(200);
    let mixed = [
        action("add-deal", deal("first", json!({}))),
        action("add-deal", deal("own 42", json!({"dealId": "42"}))),
        action("add-deal", deal("second", json!({}))),
    ];
    let reply = listener.send(&mixed).await.expect(200);
    let codes: Vec<&Value> = (0..3).map(|index| &reply.result(index)["record"]["code"]).collect();
    assert_eq!(codes, ["41", "42", "43"]);
}

#[actix_web::test]
async fn a_name_that_a_deal_let_go_makes_a_new_deal() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    add(&listener, deal("Trip", json!({}))).await;
    add(&listener, json!({"dealId": 1, "name": "Tour"})).await;
    assert_eq!(add(&listener, deal("Trip", json!({}))).await.statuses(), ["created"]);
    assert_eq!(add(&listener, json!({"name": "TOUR", "value": 1})).await.statuses(), ["updated"]);
    add(&listener, deal("tour", json!({"dealId": "mine"}))).await;
    let reply = listener.act("add-deal", deal("Tour", json!({}))).await.expect(422);
    assert_eq!(reply.fault(0), ("ambiguous", "/data/0/data/name"));
}

#[actix_web::test]
async fn a_new_deal_id_posted_64_times_at_once_makes_one_deal() {
    let instance = Instance::start().await;
    let replies =
        all_at_once(&instance, |i| deal("Trip", json!({"dealId": "D-1", "value": i}))).await;
    assert_eq!(count(&replies, "created"), 1);
    assert_eq!(count(&replies, "updated"), 63);
    assert_eq!(instance.db_count("deals"), 1);
    assert_eq!(instance.db_count("customers"), 1);
    assert_eq!(instance.db_count("history WHERE kind = 'updated'"), 63);
}

#[actix_web::test]
async fn a_new_name_posted_64_times_at_once_makes_one_deal() {
    let instance = Instance::start().await;
    let replies = all_at_once(&instance, |i| {
        deal(["Trip", "TRIP", " trip "][i % 3], json!({"stage": "New", "value": i}))
    })
    .await;
    assert_eq!(count(&replies, "created"), 1);
    assert_eq!(instance.db_count("deals"), 1);
}

/// Without the lock each would write back the contacts that it had read.
#[actix_web::test]
async fn contacts_added_to_a_deal_at_the_same_time_are_all_there() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    add(&listener, deal("Trip", json!({"dealId": 7}))).await;
    all_at_once(&instance, |i| {
        json!({"dealId": 7, "name": "Trip", "contacts": [{"name": "x", "emails": [{"value": format!("c{i}@x.com")}]}]})
    })
    .await;
    assert_eq!(instance.db_count("deal_contacts"), i64::try_from(POSTS).unwrap());
}

/// The same deals and customers in opposite orders: unsorted, most such batches end in a deadlock.
#[actix_web::test]
async fn batches_of_deals_that_overlap_in_opposite_orders_all_end_well() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..16_usize).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let mut actions: Vec<Value> = (0..50)
            .map(|n| {
                let number = (n + 10 * i) % 100;
                let with = json!({"name": "x", "emails": [{"value": format!("p{number}@x.com")}]});
                let id = if number % 2 == 0 { json!(number + 1000) } else { Value::Null };
                action(
                    "add-deal",
                    deal(
                        &format!("D{number}"),
                        json!({"dealId": id, "value": i, "dealWith": with}),
                    ),
                )
            })
            .collect();
        if i % 3 == 0 {
            actions.reverse();
        }
        async move { listener.send(&actions).await.expect(200) }
    });
    join_all(posts).await;
    assert_eq!(instance.db_count("deals"), 100);
    assert_eq!(instance.db_count("customers"), 100);
}

#[actix_web::test]
async fn a_thousand_deals_take_as_many_statements_as_ten() {
    let mut counts = Vec::new();
    for size in [10, 1000] {
        let instance = Instance::start().await;
        let listener = instance.acme().listener().await;
        listener.send(&[person("Huy", "huy@example.com")]).await.expect(200);
        let batch = |value: usize| -> Vec<Value> {
            (0..size)
                .map(|i| {
                    let id = if i % 2 == 0 { json!(format!("D-{i}")) } else { Value::Null };
                    let contacts =
                        json!([{"name": "x", "emails": [{"value": format!("p{i}@x.com")}]}]);
                    let fields = json!({"dealId": id, "value": value, "contacts": contacts});
                    action("add-deal", deal(&format!("Deal {i}"), fields))
                })
                .collect()
        };
        let mut sent = Vec::new();
        for value in [1, 2] {
            let before = instance.app.db.statements_sent();
            let reply = listener.send(&batch(value)).await.expect(200);
            sent.push((instance.app.db.statements_sent() - before, reply.statuses()[0].to_owned()));
        }
        assert_eq!((sent[0].1.as_str(), sent[1].1.as_str()), ("created", "updated"));
        counts.push((sent[0].0, sent[1].0));
    }
    assert_eq!(counts[0], counts[1]);
}

/// The documents' own example: its names are those of another org, and its stage is empty.
#[actix_web::test]
async fn the_documented_example_makes_a_deal_and_posted_again_changes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"unknownReferences": "skip"})).await;
    let mut example: Value = serde_json::from_str(include_str!("samples/add-deal.json")).unwrap();
    example["senderUser"] = json!("ann@acme.test");
    let reply = listener.post(&example).await.expect(422);
    assert_eq!(reply.fault(0), ("required", "/data/0/data/stage"));

    let mut with_stage = example.clone();
    with_stage["data"][0]["data"]["stage"] = json!("Proposal");
    assert_eq!(listener.post(&with_stage).await.expect(200).statuses(), ["created"]);
    let deal = acme.get("/deals/1234567890").await.expect(200).body;
    assert_eq!(
        (&deal["value"], &deal["stage"], &deal["closeDate"], &deal["owners"]["users"]),
        (
            &json!("50000"),
            &json!("Proposal"),
            &json!("2016-12-23T05:19:42.793Z"),
            &json!(["ann@acme.test"])
        )
    );
    let named =
        |code: &str, name: &str| json!({"contactType": "lead", "customerId": code, "name": name});
    assert_eq!(deal["dealWith"], named("LID-1", "Nguyen viet huy"));
    assert_eq!(deal["contacts"], json!([named("LID-2", "Quoc Phong")]));
    assert_eq!(deal["permit"]["status"], 2);

    assert_eq!(listener.post(&example).await.expect(200).statuses(), ["unchanged"]);
    assert_eq!(acme.get("/deals/1234567890").await.body, deal);
}
