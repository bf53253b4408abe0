//! Names that records choose from: their order, and that what is in use stays (`api.md` 4).

use crate::support::{Instance, Org, person};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// The path of the entry of that name.
async fn entry(org: Org<'_>, list: &str, name: &str) -> String {
    let found = org.get(&format!("/{list}?name={}", name.replace(' ', "%20"))).await.expect(200);
    let id = found.each("id").first().map(|id| (*id).to_owned());
    format!("/{list}/{}", id.unwrap_or_else(|| panic!("no {name} in {list}")))
}

/// That it cannot be deleted, and by what it is told to be in use.
async fn kept(org: Org<'_>, path: &str, by: &str) {
    let reply = org.delete(path).await.expect(409);
    assert_eq!(reply.problem().0, "in_use", "{path}");
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains(by), "{path}: {detail}");
    org.get(path).await.expect(200);
}

#[actix_web::test]
async fn a_new_org_has_the_nine_channels_and_other_sensible_names() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let channels = acme.get("/channels?limit=100").await.expect(200);
    let mut names = channels.each("name");
    names.sort_unstable();
    let nine = [
        "Contact Form",
        "Email",
        "Kite Call",
        "Kite Chat",
        "Kite Facebook",
        "Kite Skype",
        "Kite Viber",
        "Phone",
        "Web",
    ];
    assert_eq!(names, nine);
    for list in ["sources", "deal-stages", "deal-categories", "deal-packages", "slas", "currencies"]
    {
        assert!(!acme.get(&format!("/{list}")).await.data().is_empty(), "{list}");
    }
}

#[actix_web::test]
async fn a_new_entry_comes_last_where_an_org_chooses_unless_it_has_a_position() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let last = acme.post("/deal-stages", &json!({"name": "Ended"})).await.expect(201).body;
    assert_eq!(last["position"], 6);
    let first = json!({"name": "A first one", "position": 0});
    acme.post("/deal-stages", &first).await.expect(201);

    // A deal without a stage gets the first, where the listener skips.
    let listener = acme.listener_with(json!({"unknownReferences": "skip"})).await;
    let deal = json!({"name": "One", "stage": "?", "dealWith": {"name": "Huy", "emails": [{"value": "h@x.com"}]}});
    listener.act("add-deal", deal).await.expect(200);
    assert_eq!(acme.get("/deals").await.data()[0]["stage"], "A first one");
    for position in [json!(-1), json!(1_000_001)] {
        let body = json!({"name": "x", "position": position});
        let reply = acme.post("/deal-stages", &body).await.expect(422);
        assert_eq!(reply.problem().1, [("out_of_range", "/position")]);
    }
}

#[actix_web::test]
async fn a_name_may_be_in_several_lists_and_a_path_is_of_its_list() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let source = acme.post("/sources", &json!({"name": "Web"})).await.expect(201).body;
    let other = format!("/channels/{}", source["id"].as_str().unwrap());
    acme.get(&other).await.expect(404);
    acme.patch(&other, &json!({"name": "x"})).await.expect(404);
    acme.delete(&other).await.expect(404);
}

/// A contact with tag and source, a deal, a note and a ticket on them.
async fn records(org: Org<'_>) {
    let listener = org
        .listener_with(json!({"name": "Form", "defaultTag": "vip", "contactSource": "Website", "leadSource": "Zalo"}))
        .await;
    let huy = json!({"name": "Huy", "emails": [{"value": "h@x.com"}], "permit": {"status": 3, "group": "Sales"}});
    listener.act("add-contact", huy).await.expect(200);
    let deal = json!({
        "name": "One", "stage": "Proposal", "category": "Renewal", "package": "Basic",
        "currency": "USD", "dealWith": {"customerId": "PID-1"},
        "owner_opportunity": {"users": ["bob@acme.test"], "groups": ["Support"]},
    });
    listener.act("add-deal", deal).await.expect(200);
    let note = json!({"body": "b", "customerId": "PID-1", "channel": "Phone"});
    listener.act("add-note", note).await.expect(200);
    let ticket = json!({
        "body": "b", "customerId": "PID-1", "channel": "Web", "slaName": "custom", "tag": "urgent",
    });
    listener.act("add-ticket", ticket).await.expect(200);
}

#[actix_web::test]
async fn what_is_in_use_stays_and_the_refusal_says_by_what() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    records(acme).await;
    for (list, name, by) in [
        ("tags", "vip", "1 listener, 1 customer"),
        ("tags", "urgent", "1 ticket"),
        ("sources", "Website", "1 listener, 1 customer"),
        ("sources", "Zalo", "1 listener"),
        ("deal-stages", "Proposal", "1 deal"),
        ("deal-categories", "Renewal", "1 deal"),
        ("deal-packages", "Basic", "1 deal"),
        ("channels", "Phone", "1 note"),
        ("channels", "Web", "1 ticket"),
        ("slas", "custom", "1 ticket"),
        ("groups", "Sales", "1 customer"),
        ("groups", "Support", "1 deal"),
    ] {
        kept(acme, &entry(acme, list, name).await, by).await;
    }
    kept(acme, "/currencies/USD", "1 deal").await;
    // What is not in use goes.
    for (list, name) in [("sources", "Facebook"), ("deal-stages", "Won"), ("slas", "Standard")] {
        acme.delete(&entry(acme, list, name).await).await.expect(204);
    }
}

#[actix_web::test]
async fn a_deal_needs_a_stage_so_the_last_one_stays() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let stages = acme.get("/deal-stages").await.expect(200);
    let paths: Vec<String> =
        stages.each("id").iter().map(|id| format!("/deal-stages/{id}")).collect();
    // All at once: each alone sees another one.
    let replies = join_all(paths.iter().map(|path| acme.delete(path))).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status != 204).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].problem().0, "in_use");
    assert_eq!(acme.get("/deal-stages").await.data().len(), 1);
}

/// Who looks and then deletes, while a delivery is on its way, would fail it or be refused by the
/// database with a fault of ours.
#[actix_web::test]
async fn deleting_while_deliveries_use_it_either_works_or_says_so() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"unknownReferences": "skip"})).await;
    for round in 0..5 {
        let name = format!("Tag {round}");
        let made = acme.post("/tags", &json!({"name": name})).await.expect(201).body;
        let path = format!("/tags/{}", made["id"].as_str().unwrap());
        let deliver = async |number: usize| {
            let mut contact = person("Huy", &format!("{round}-{number}@x.com"));
            contact["data"]["tag"] = json!(name);
            listener.send(&[contact]).await
        };
        let (deleted, delivered) = join(acme.delete(&path), join_all((0..4).map(deliver))).await;
        assert!([204, 409].contains(&deleted.status), "{:#}", deleted.body);
        for reply in delivered {
            assert_eq!(reply.statuses(), ["created"], "{:#}", reply.body);
        }
        let tagged = acme.get(&format!("/contacts?tag=tag%20{round}")).await.expect(200);
        assert_eq!(tagged.data().len(), 4);
    }
}

#[actix_web::test]
async fn a_group_has_members_by_e_mail_and_each_user_tells_his_groups() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let body = json!({"name": "A", "members": ["Bob@acme.test", "ann@acme.test", "bob@acme.test"]});
    let made = acme.post("/groups", &body).await.expect(201).body;
    assert_eq!(made["members"], json!(["ann@acme.test", "bob@acme.test"]));
    let bob = acme.get("/users?email=bob@acme.test").await.data()[0].clone();
    assert_eq!(bob["groups"], json!(["A", "Sales"]));

    let path = format!("/groups/{}", made["id"].as_str().unwrap());
    let patch = json!({"members": ["ann@acme.test", "x", "y@acme.test"]});
    let reply = acme.patch(&path, &patch).await.expect(422);
    let unknown = vec![("unknown_user", "/members/1"), ("unknown_user", "/members/2")];
    assert_eq!(reply.problem(), ("invalid_fields", unknown));
    let changed = acme.patch(&path, &json!({"members": null})).await.expect(200).body;
    assert_eq!(changed["members"], json!([]));
    acme.patch(&path, &json!({"members": ["ann@acme.test"]})).await.expect(200);
    acme.delete(&path).await.expect(204);
}

#[actix_web::test]
async fn a_service_level_answers_before_it_resolves() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let sla = |first: Value, resolution: Value| {
        let body =
            json!({"name": "x", "firstResponseMinutes": first, "resolutionMinutes": resolution});
        async move { acme.post("/slas", &body).await }
    };
    for (first, resolution, code, pointer) in [
        (json!(0), json!(5), "out_of_range", "/firstResponseMinutes"),
        (json!(1), json!(525_601), "out_of_range", "/resolutionMinutes"),
        (json!(10), json!(5), "out_of_range", "/resolutionMinutes"),
        (json!(1.5), json!(5), "invalid_value", "/firstResponseMinutes"),
        (json!("5"), json!(5), "wrong_type", "/firstResponseMinutes"),
    ] {
        let reply = sla(first, resolution).await.expect(422);
        assert_eq!(reply.problem().1, [(code, pointer)]);
    }
    sla(json!(5), json!(5)).await.expect(201);
}

#[actix_web::test]
async fn a_tag_has_no_comma() {
    let instance = Instance::start().await;
    let reply = instance.acme().post("/tags", &json!({"name": "a, b"})).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/name")]);
}

/// Without a limit one org could fill the memory of every server with its names.
#[actix_web::test]
async fn an_org_has_no_more_than_the_limit() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    instance.db_execute(
        "INSERT INTO picklist_entries \
         SELECT org_id, gen_random_uuid(), 'source', 'S ' || n, 's ' || n, n, now(), now() \
         FROM users, generate_series(9, 1000) n WHERE email = 'admin@acme.test'",
    );
    let reply = acme.post("/sources", &json!({"name": "One more"})).await.expect(409);
    assert_eq!(reply.problem().0, "limit_reached");
    acme.post("/channels", &json!({"name": "One more"})).await.expect(201);
}
