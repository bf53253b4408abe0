//! Listeners' settings: made, read, changed, rotated, deleted (`api.md` 2, 4).

use crate::support::{Instance, Listener, Reply, person};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// What can be set of a listener that has only a name.
fn defaults(name: &str) -> Value {
    json!({
        "name": name, "enabled": true, "mode": "sync", "allowedIps": [], "defaultTag": null,
        "contactSource": null, "leadSource": null, "welcomeEmail": null, "welcomeSms": null,
        "unknownReferences": "reject", "rateLimit": null,
    })
}

/// Every setting, as it is sent and as it is read.
fn all_settings() -> Value {
    json!({
        "name": "Web form", "enabled": true, "mode": "sync",
        "allowedIps": ["127.0.0.0/8", "192.0.2.1", "2001:db8::/32"], "defaultTag": "new",
        "contactSource": "Website", "leadSource": "Facebook",
        "welcomeEmail": {"enabled": true, "subject": "Hi {{ name }}", "body": "<p>{{ code }}</p>", "text": "{{ code }}"},
        "welcomeSms": {"enabled": false, "content": "{{ fields[\"Referred By\"] }}"},
        "unknownReferences": "skip", "rateLimit": {"perSecond": 5, "burst": 10},
    })
}

/// A listener's body without what only the server sets.
fn settings(body: &Value) -> Value {
    let mut settings = body.clone();
    for made in ["id", "url", "createdAt", "lastDeliveryAt"] {
        assert!(settings.as_object_mut().unwrap().remove(made).is_some(), "no {made}: {body}");
    }
    settings
}

#[actix_web::test]
async fn a_listener_with_a_name_alone_has_the_defaults_and_a_url_that_works() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = acme.post("/listeners", &json!({"name": " Web form "})).await.expect(201);
    assert_eq!(settings(&made.body), defaults("Web form"));
    assert_eq!(made.body["lastDeliveryAt"], Value::Null);

    let (id, url) = (made.body["id"].as_str().unwrap(), made.body["url"].as_str().unwrap());
    let place = format!("{}/api/v1/listeners/{id}", instance.url);
    assert_eq!(made.header("Location"), Some(place.as_str()));
    assert!(url.starts_with(&format!("{}/listener/", instance.url)), "{url}");
    let listener = Listener { org: acme, id: id.to_owned(), url: url.to_owned() };
    listener.act("add-contact", person("Huy", "h@x.com")["data"].clone()).await.expect(200);
}

#[actix_web::test]
async fn all_settings_read_back_as_they_were_sent() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let made = acme.post("/listeners", &all_settings()).await.expect(201);
    assert_eq!(settings(&made.body), all_settings());
    let read = acme.get(&format!("/listeners/{}", made.body["id"].as_str().unwrap())).await;
    assert_eq!(read.body, made.body);
    assert_eq!(read.header("ETag"), made.header("ETag"));
    assert_eq!(acme.get("/listeners").await.data(), [made.body]);
}

#[actix_web::test]
async fn names_and_networks_are_read_in_their_normal_form() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.listener_with(json!({"defaultTag": "VIP"})).await;
    let sent = json!({
        "name": "a", "contactSource": "website", "leadSource": "", "defaultTag": " vip ",
        "allowedIps": ["10.1.2.3/8", "10.0.0.0/8", "::ffff:192.0.2.1", "2001:DB8:0::1/32"],
    });
    let made = acme.post("/listeners", &sent).await.expect(201).body;
    assert_eq!(made["contactSource"], "Website");
    assert_eq!(made["leadSource"], Value::Null);
    assert_eq!(made["defaultTag"], "VIP");
    assert_eq!(made["allowedIps"], json!(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]));
    assert_eq!(instance.db_count("tags"), 1);
}

#[actix_web::test]
async fn listeners_are_listed_newest_first_in_pages() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, acme.listener().await.id);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = acme.get(&format!("/listeners?limit=2&cursor={cursor}")).await.expect(200);
        assert!(page.data().len() <= 2);
        assert_eq!(page.body["page"]["limit"], 2);
        seen.extend(page.each("id").into_iter().map(str::to_owned));
        match page.body["page"]["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, made);
    for (query, pointer) in [("limit=0", "/limit"), ("cursor=x", "/cursor"), ("name=a", "/name")] {
        let reply = acme.get(&format!("/listeners?{query}")).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_query", vec![("invalid_query", pointer)]));
    }
}

#[actix_web::test]
async fn a_fault_in_a_setting_is_told_with_its_place_and_the_remedy() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let email = |field: &str, text: &str| {
        let mut email = json!({"subject": "s", "body": "b"});
        email[field] = json!(text);
        json!({"welcomeEmail": email})
    };
    for (fields, code, pointer, words) in [
        (json!({"name": null}), "wrong_type", "/name", "expected a string"),
        (json!({"name": " "}), "required", "/name", "empty"),
        (json!({"name": "x".repeat(256)}), "too_long", "/name", "255"),
        (json!({"name": "a\0"}), "nul_character", "/name", "U+0000"),
        (json!({"enabled": "yes"}), "wrong_type", "/enabled", "a boolean"),
        (json!({"mode": "later"}), "invalid_choice", "/mode", "`sync` or `async`"),
        (json!({"unknownReferences": "drop"}), "invalid_choice", "/unknownReferences", "`skip`"),
        (json!({"allowedIps": "::1"}), "wrong_type", "/allowedIps", "a sequence"),
        (
            json!({"allowedIps": ["::1", "10.0.0.0/33"]}),
            "invalid_value",
            "/allowedIps/1",
            "203.0.113.0/24",
        ),
        (json!({"allowedIps": ["localhost"]}), "invalid_value", "/allowedIps/0", "203.0.113.7"),
        (json!({"defaultTag": "a, b"}), "invalid_value", "/defaultTag", "one tag"),
        (
            json!({"contactSource": "Web"}),
            "unknown_source",
            "/contactSource",
            "\"Website\", \"Facebook\"",
        ),
        (
            json!({"leadSource": "Web"}),
            "unknown_source",
            "/leadSource",
            "\"Website\", \"Facebook\"",
        ),
        (email("subject", ""), "required", "/welcomeEmail/subject", "empty"),
        (
            email("body", "a\n {{ nam }}"),
            "invalid_template",
            "/welcomeEmail/body",
            "Line 2, column",
        ),
        (
            email("text", "{% for x in y %}"),
            "invalid_template",
            "/welcomeEmail/text",
            "Line 1, column",
        ),
        (
            email("subject", "{{ fields[\"Refered By\"] }}"),
            "invalid_template",
            "/welcomeEmail/subject",
            "Referred By",
        ),
        (email("txt", "x"), "unknown_field", "/welcomeEmail/txt", "\"text\""),
        (json!({"welcomeSms": {}}), "required", "/welcomeSms/content", "required"),
        (
            json!({"welcomeSms": {"content": "{{ name"}}),
            "invalid_template",
            "/welcomeSms/content",
            "Line 1, column",
        ),
        (
            json!({"rateLimit": {"perSecond": 0, "burst": 1}}),
            "out_of_range",
            "/rateLimit/perSecond",
            "1 to",
        ),
        (json!({"rateLimit": {"perSecond": 1}}), "required", "/rateLimit/burst", "required"),
        (json!({"enbled": true}), "unknown_field", "/enbled", "\"enabled\" was meant"),
        (json!({"url": "http://x"}), "unknown_field", "/url", "no field"),
    ] {
        let mut body = json!({"name": "Web form", "defaultTag": "new"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let reply = acme.post("/listeners", &body).await;
        assert_eq!(reply.status, 422, "{fields}: {:#}", reply.body);
        assert_eq!(reply.problem(), ("invalid_fields", vec![(code, pointer)]), "{fields}");
        assert!(reply.message().contains(words), "{fields}: {}", reply.message());
        assert_eq!(reply.header("Content-Type"), Some("application/problem+json"));
    }
    assert_eq!(acme.get("/listeners").await.data(), [] as [Value; 0]);
    assert_eq!(instance.db_count("tags"), 0, "a refused listener made its tag");
}

#[actix_web::test]
async fn a_name_is_taken_in_any_case_but_by_itself() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let first = acme.listener_with(json!({"name": "Đơn hàng"})).await;
    let second = acme.listener_with(json!({"name": "Other"})).await;
    let taken = ("name_taken", vec![("name_taken", "/name")]);

    let body = json!({"name": " ĐƠN HÀNG "});
    let reply = acme.post("/listeners", &body).await.expect(409);
    assert_eq!(reply.problem(), taken);
    let reply = acme.patch(&second.path(), &body).await.expect(409);
    assert_eq!(reply.problem(), taken);
    let reply = acme.patch(&first.path(), &body).await.expect(200);
    assert_eq!(reply.body["name"], "ĐƠN HÀNG");
    instance.globex().post("/listeners", &body).await.expect(201);
}

#[actix_web::test]
async fn of_simultaneous_listeners_of_one_name_one_is_made() {
    let instance = Instance::start().await;
    let (acme, body) = (instance.acme(), json!({"name": "Web form"}));
    let replies = join_all((0..8).map(|_| acme.post("/listeners", &body))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[201].as_slice(), &[409; 7]].concat());
}

#[actix_web::test]
async fn a_patch_changes_what_it_names_and_null_sets_back() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(all_settings()).await;
    let mut expected = all_settings();
    for (patch, changed) in [
        (json!({}), json!({})),
        (json!({"enabled": false}), json!({"enabled": false})),
        (
            json!({"welcomeEmail": {"subject": "New", "text": null}}),
            json!({"welcomeEmail": {"enabled": true, "subject": "New", "body": "<p>{{ code }}</p>", "text": null}}),
        ),
        (json!({"allowedIps": ["::1"]}), json!({"allowedIps": ["::1"]})),
        (
            json!({"enabled": null, "allowedIps": null, "welcomeSms": null, "rateLimit": null, "unknownReferences": null}),
            json!({"enabled": true, "allowedIps": [], "welcomeSms": null, "rateLimit": null, "unknownReferences": "reject"}),
        ),
        (
            json!({"defaultTag": null, "contactSource": null, "leadSource": "zalo"}),
            json!({"defaultTag": null, "contactSource": null, "leadSource": "Zalo"}),
        ),
    ] {
        expected.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let reply = acme.patch(&listener.path(), &patch).await.expect(200);
        assert_eq!(settings(&reply.body), expected, "{patch}");
        assert_eq!(reply.body["url"], json!(listener.url));
        let read = acme.get(&listener.path()).await;
        assert_eq!((&read.body, read.header("ETag")), (&reply.body, reply.header("ETag")));
    }
}

#[actix_web::test]
async fn a_patch_with_a_fault_changes_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(all_settings()).await;
    for (patch, code, pointer) in [
        (json!({"enabled": false, "name": null}), "required", "/name"),
        (json!({"enabled": false, "leadSource": "?"}), "unknown_source", "/leadSource"),
        (json!({"enabled": false, "lastDeliveryAt": null}), "unknown_field", "/lastDeliveryAt"),
        (
            json!({"enabled": false, "welcomeEmail": {"body": "{{"}}),
            "invalid_template",
            "/welcomeEmail/body",
        ),
        (json!({"welcomeEmail": {"subject": null}}), "required", "/welcomeEmail/subject"),
        (json!([{"enabled": false}]), "wrong_type", ""),
    ] {
        let reply = acme.patch(&listener.path(), &patch).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_fields", vec![(code, pointer)]), "{patch}");
    }
    assert_eq!(settings(&acme.get(&listener.path()).await.body), all_settings());
}

#[actix_web::test]
async fn a_change_of_what_has_changed_since_it_was_read_is_refused() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let change = async |tag: &str, name: &str| {
        let request = acme.request("admin", Method::PATCH, &listener.path());
        let request = request.header("If-Match", tag).json(&json!({"name": name}));
        Reply::to(request).await
    };
    let first = acme.get(&listener.path()).await.header("ETag").unwrap().to_owned();
    // A delivery is no change of the settings.
    listener.send(&[]).await.expect(200);
    let changed = change(&first, "B").await.expect(200);
    let second = changed.header("ETag").unwrap().to_owned();
    assert_ne!(second, first);

    let stale = change(&first, "C").await.expect(412);
    assert_eq!(stale.problem().0, "precondition_failed");
    assert_eq!(acme.get(&listener.path()).await.body["name"], "B");
    change(&format!("\"x\", {second}"), "D").await.expect(200);
    change("*", "E").await.expect(200);
}

/// Comparing outside the transaction that changes would let two of them overwrite each other.
#[actix_web::test]
async fn of_simultaneous_changes_of_the_same_state_one_is_made() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let tag = acme.get(&listener.path()).await.header("ETag").unwrap().to_owned();
    let change = async |number: usize| {
        let request = acme.request("admin", Method::PATCH, &listener.path());
        let body = json!({"name": format!("Name {number}")});
        Reply::to(request.header("If-Match", &tag).json(&body)).await.status
    };
    let mut statuses = join_all((0..8).map(change)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[412; 7]].concat());
}

#[actix_web::test]
async fn a_listener_that_does_not_exist_is_404_for_every_method() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let gone = acme.listener().await;
    acme.delete(&gone.path()).await.expect(204);
    for id in [gone.id.as_str(), "0199f3c2-0000-7000-8000-000000000001", "1", "PID-1"] {
        let (one, rotate) = (format!("/listeners/{id}"), format!("/listeners/{id}/rotate"));
        for (method, path) in [
            (Method::GET, &one),
            (Method::PATCH, &one),
            (Method::DELETE, &one),
            (Method::POST, &rotate),
        ] {
            let reply = acme.call("admin", method.clone(), path, Some(&json!({}))).await;
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
            assert_eq!(reply.body["detail"], "There is no such listener.");
        }
    }
    assert_eq!(acme.get("/listeners").await.data().len(), 0);
}

#[actix_web::test]
async fn rotating_gives_a_new_url_and_ends_the_old_one() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let old = acme.listener_with(all_settings()).await;
    let rotate = format!("{}/rotate", old.path());
    let reply = acme.post(&rotate, &json!({})).await.expect(200);
    assert_eq!(settings(&reply.body), all_settings());
    let new = Listener { url: reply.body["url"].as_str().unwrap().to_owned(), ..old.clone() };
    assert_ne!(new.url, old.url);
    assert_eq!(acme.get(&old.path()).await.body["url"], json!(new.url));
    old.send(&[]).await.expect(404);
    new.send(&[]).await.expect(200);
}

#[actix_web::test]
async fn within_the_grace_both_urls_work_and_after_it_the_new_one() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let old = acme.listener().await;
    let rotate = format!("{}/rotate", old.path());
    let body = acme.post(&rotate, &json!({"graceSeconds": 3600})).await.expect(200).body;
    let new = Listener { url: body["url"].as_str().unwrap().to_owned(), ..old.clone() };
    old.send(&[]).await.expect(200);
    new.send(&[]).await.expect(200);
    let left = "listener_tokens WHERE expires_at BETWEEN now() + interval '59 minutes' AND now() + interval '1 hour'";
    assert_eq!(instance.db_count(left), 1);

    // Time passes; the version is what time would not need: servers know the end already.
    instance.db_execute(
        "UPDATE listener_tokens SET expires_at = now() WHERE expires_at IS NOT NULL; \
         UPDATE org_settings SET directory_version = directory_version + 1",
    );
    old.send(&[]).await.expect(404);
    new.send(&[]).await.expect(200);
}

/// Who rotates because a URL has leaked must be rid of all earlier ones.
#[actix_web::test]
async fn rotating_at_once_ends_a_grace_that_was_given_before() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let old = acme.listener().await;
    let rotate = format!("{}/rotate", old.path());
    acme.post(&rotate, &json!({"graceSeconds": 3600})).await.expect(200);
    acme.post(&rotate, &json!({"graceSeconds": 0})).await.expect(200);
    old.send(&[]).await.expect(404);
    assert_eq!(instance.db_count("listener_tokens"), 1);
}

#[actix_web::test]
async fn rotating_several_times_at_once_leaves_one_url() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let rotate = format!("{}/rotate", acme.listener().await.path());
    let body = json!({});
    let replies = join_all((0..8).map(|_| acme.post(&rotate, &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let listed = acme.get("/listeners").await.expect(200);
    let given = replies.iter().filter(|reply| reply.body["url"] == listed.data()[0]["url"]);
    assert_eq!((listed.data().len(), given.count()), (1, 1));
    assert_eq!(instance.db_count("listener_tokens"), 1);
}

#[actix_web::test]
async fn a_grace_is_a_number_of_seconds_up_to_a_year() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    for (grace, code) in [
        (json!(-1), "invalid_value"),
        (json!(1.5), "invalid_value"),
        (json!("60"), "wrong_type"),
        (json!(366 * 24 * 3600 + 1), "out_of_range"),
        (json!(99_999_999_999_u64), "invalid_value"),
    ] {
        let body = json!({"graceSeconds": grace});
        let reply = acme.post(&format!("{}/rotate", listener.path()), &body).await.expect(422);
        assert_eq!(reply.problem().1, [(code, "/graceSeconds")], "{grace}");
    }
    listener.send(&[]).await.expect(200);
}

#[actix_web::test]
async fn a_listener_tells_when_its_newest_delivery_came() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (listener, other) = (acme.listener().await, acme.listener().await);
    let last = async || acme.get(&listener.path()).await.body["lastDeliveryAt"].clone();
    other.send(&[]).await.expect(200);
    assert_eq!(last().await, Value::Null);
    listener.send(&[]).await.expect(200);
    let first = last().await;
    assert!(first.is_string(), "{first}");
    // One that cannot be read has come, too.
    listener.post_bytes("", b"not json".to_vec(), &[]).await.expect(400);
    let second = last().await;
    assert!(second.as_str() > first.as_str(), "{first} {second}");
    assert_eq!(acme.get("/listeners").await.data()[1]["lastDeliveryAt"], second);
}
