//! Two orgs on one server: nothing of one is seen, matched, linked or counted for the other.

use crate::support::{Instance, Org, PASSWORD, Reply, action, payload, person};
use reqwest::Method;
use serde_json::{Value, json};

/// A person with every identifier, a company and a tag.
fn huy() -> Value {
    json!({
        "name": "Huy", "passport": "B1234", "contactId": "77", "tag": "vip",
        "emails": [{"value": "huy@example.com"}], "phones": [{"value": "0905000001"}],
        "companyContact": {"name": "Open Corp", "emails": [{"value": "info@open.com"}]},
    })
}

/// Posts Huy to an org's new listener with a welcome SMS.
async fn post_huy(org: Org<'_>) {
    let listener = org
        .listener_with(json!({"welcomeSms": {"content": "Hi"}, "contactSource": "Website"}))
        .await;
    let actions = [action("add-contact", huy()), action("add-lead", json!({"name": "Lan"}))];
    let reply = listener.send(&actions).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"]);
    assert_eq!(reply.result(0)["record"]["code"], "PID-1");
    assert_eq!(reply.result(0)["related"][0]["code"], "CID-1");
    assert_eq!(reply.result(0)["related"][0]["status"], "created");
    assert_eq!(reply.result(1)["record"]["code"], "LID-1");
}

#[actix_web::test]
async fn the_same_person_is_new_in_each_org_and_has_each_orgs_first_codes() {
    let instance = Instance::start().await;
    for org in [instance.acme(), instance.globex()] {
        post_huy(org).await;
        for list in ["/contacts", "/accounts", "/leads"] {
            assert_eq!(org.get(list).await.data().len(), 1, "{} {list}", org.slug);
        }
        let email = format!("ann@{}.test", org.slug);
        let contact = org.get("/contacts/PID-1").await.expect(200).body;
        assert_eq!(contact["owner"]["email"], json!(email));
        let account = org.get("/accounts/CID-1").await.expect(200).body;
        assert_eq!(contact["company"]["id"], account["id"]);
        for line in org.history("/contacts/PID-1").await {
            assert_eq!(line["actor"]["email"], json!(email), "{line}");
        }
    }
    assert_eq!(instance.db_count("tags"), 2);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 19"), 2);
    let mixed = "customers c JOIN customers d ON d.id = c.company_id WHERE d.org_id <> c.org_id";
    assert_eq!(instance.db_count(mixed), 0);
}

#[actix_web::test]
async fn what_matches_in_the_other_org_is_found_by_no_filter() {
    let instance = Instance::start().await;
    post_huy(instance.acme()).await;
    let globex = instance.globex();
    globex.listener().await.send(&[person("Own", "own@x.com")]).await.expect(200);
    for query in [
        "email=huy@example.com",
        "phone=0905000001",
        "passport=B1234",
        "contactId=77",
        "tag=vip",
        "name=huy",
        "owner=ann@acme.test",
        "q=huy",
        "q=open",
        "q=0905000001",
    ] {
        let found = globex.get(&format!("/contacts?{query}")).await.expect(200);
        assert_eq!(found.data(), [] as [Value; 0], "{query}");
    }
    assert_eq!(globex.get("/contacts").await.each("name"), ["Own"]);
}

/// An id is no secret, so it must open nothing.
#[actix_web::test]
async fn the_ids_of_the_other_org_lead_nowhere() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    post_huy(acme).await;
    for (list, code) in [("/contacts", "PID-1"), ("/accounts", "CID-1"), ("/leads", "LID-1")] {
        let record = acme.get(&format!("{list}/{code}")).await.expect(200).body;
        let one = format!("{list}/{}", record["id"].as_str().unwrap());
        let none = globex.get(&format!("{list}/0199f3c2-0000-7000-8000-000000000001")).await;
        for path in [one.clone(), format!("{one}/history"), format!("{list}/{code}")] {
            for who in ["owner", "admin", "ann"] {
                let reply = globex.get_as(who, &path).await.expect(404);
                assert_eq!(reply.body_but_request_id(), none.body_but_request_id(), "{path}");
            }
        }
    }
}

#[actix_web::test]
async fn the_listeners_of_the_other_org_cannot_be_touched() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    let listener = acme.listener().await;
    let before = acme.get(&listener.path()).await.body;
    let rotate = format!("{}/rotate", listener.path());
    for (method, path) in [
        (Method::GET, listener.path()),
        (Method::PATCH, listener.path()),
        (Method::DELETE, listener.path()),
        (Method::POST, rotate),
    ] {
        let reply = globex.call("owner", method.clone(), &path, Some(&json!({}))).await;
        assert_eq!(reply.status, 404, "{method} {path}");
    }
    assert_eq!(globex.get("/listeners").await.data(), [] as [Value; 0]);
    assert_eq!(acme.get(&listener.path()).await.body, before);
    listener.send(&[]).await.expect(200);
}

#[actix_web::test]
async fn a_listener_knows_no_people_and_names_of_the_other_org() {
    let instance = Instance::start().await;
    instance.db_execute(
        "INSERT INTO groups SELECT id, gen_random_uuid(), 'Secret', 'secret', now(), now() FROM orgs WHERE slug = 'acme'; \
         INSERT INTO custom_fields SELECT id, gen_random_uuid(), 'contact', 'Secret', 'secret', 'text', '[]', now(), now() \
         FROM orgs WHERE slug = 'acme'; \
         INSERT INTO picklist_entries SELECT id, gen_random_uuid(), 'source', 'Secret', 'secret', 0, now(), now() \
         FROM orgs WHERE slug = 'acme'",
    );
    let (acme, globex) = (instance.acme(), instance.globex());
    let names = [
        (json!({"permit": {"status": 4, "users": ["bob@acme.test"]}}), "unknown_user"),
        (json!({"permit": {"status": 3, "group": "Secret"}}), "unknown_group"),
        (json!({"cusFields": [{"name": "Secret", "value": "x"}]}), "unknown_custom_field"),
    ];
    let (ours, theirs) = (acme.listener().await, globex.listener().await);
    for (fields, code) in names {
        let mut data = json!({"name": "Huy"});
        data.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        // What is refused there is right here.
        ours.act("add-contact", data.clone()).await.expect(200);
        let refused = theirs.act("add-contact", data).await.expect(422);
        assert_eq!(refused.fault(0).0, code);
        let listed =
            refused.result(0)["error"]["message"].to_string().replace("\\\"Secret\\\"", "");
        assert!(!listed.contains("Secret"), "{listed}");
    }
    let body = json!({"name": "x", "contactSource": "Secret"});
    acme.post("/listeners", &body).await.expect(201);
    let refused = globex.post("/listeners", &body).await.expect(422);
    assert_eq!(refused.problem().1, [("unknown_source", "/contactSource")]);

    let sender_of_acme = payload(&[person("Huy", "h@x.com")]);
    theirs.post(&sender_of_acme).await.expect(422);
    assert_eq!(globex.get("/contacts").await.data(), [] as [Value; 0]);
}

/// A cursor is a place in an order, and no key.
#[actix_web::test]
async fn a_cursor_of_the_other_org_shows_ones_own_records_alone() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    let (ours, theirs) = (acme.listener().await, globex.listener().await);
    for round in 0..3 {
        for listener in [&ours, &theirs] {
            let name = format!("{} {round}", listener.org.slug);
            listener.send(&[person(&name, &format!("{round}@x.com"))]).await.expect(200);
        }
    }
    let page = acme.get("/contacts?limit=1").await.expect(200);
    let cursor = page.body["page"]["nextCursor"].as_str().unwrap();
    let seen = globex.get(&format!("/contacts?cursor={cursor}")).await.expect(200);
    assert_eq!(seen.each("name"), ["globex 1", "globex 0"]);
    let history = globex.get(&format!("/contacts/PID-1/history?cursor={cursor}")).await.expect(200);
    assert_eq!(history.each("kind"), ["created"]);
}

/// The same e-mail may be a user of several orgs: each with a password, a role and records.
#[actix_web::test]
async fn a_token_opens_the_org_that_it_was_made_for_alone() {
    let instance = Instance::start().await;
    instance.db_execute(
        "UPDATE users SET email = 'ann@both.test', email_key = 'ann@both.test' WHERE name = 'ann'",
    );
    for org in [instance.acme(), instance.globex()] {
        let body = json!({"org": org.slug, "email": "ann@both.test", "password": PASSWORD});
        let request = instance.request(Method::POST, "/api/v1/sessions").json(&body);
        let token = Reply::to(request).await.expect(201).body["token"].clone();
        let me = instance.request(Method::GET, "/api/v1/me").bearer_auth(token.as_str().unwrap());
        let me = Reply::to(me).await.expect(200);
        assert_eq!(me.body["org"]["slug"], org.slug);
    }
}
