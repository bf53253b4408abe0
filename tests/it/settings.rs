//! What all resources of settings have in common, in one table; and the org's own settings
//! (`api.md` 2, 4).

use crate::support::{Instance, Org, Reply};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// A resource, with what the common rules need of it.
struct Resource {
    path: &'static str,
    /// What makes one.
    body: Value,
    /// What changes it.
    patch: Value,
    /// What takes its name in another case, and where that is a fault.
    taken: (Value, &'static str),
}

fn named(path: &'static str, more: Value) -> Resource {
    let with = |name: &str| {
        let mut body = more.clone();
        body["name"] = json!(name);
        body
    };
    Resource {
        path,
        body: with("Điểm A"),
        patch: json!({"name": "Điểm B"}),
        taken: (with(" ĐIỂM A "), "/name"),
    }
}

fn resources() -> Vec<Resource> {
    let mut all: Vec<Resource> = [
        "groups",
        "tags",
        "sources",
        "channels",
        "deal-stages",
        "deal-categories",
        "deal-packages",
    ]
    .map(|path| named(path, json!({})))
    .into();
    all.push(named("slas", json!({"firstResponseMinutes": 5, "resolutionMinutes": 60})));
    all.push(named("custom-fields", json!({"model": "lead", "kind": "text"})));
    all.push(Resource {
        path: "users",
        body: json!({"email": "lan@acme.test", "name": "Lan"}),
        patch: json!({"name": "Lan B"}),
        taken: (json!({"email": "Lan@ACME.test", "name": "Other"}), "/email"),
    });
    all.push(Resource {
        path: "currencies",
        body: json!({"code": "EUR"}),
        patch: json!({"default": true}),
        taken: (json!({"code": "eur"}), "/code"),
    });
    all
}

impl Resource {
    fn all(&self) -> String {
        format!("/{}", self.path)
    }

    /// Where a made one is, below `/api/v1`.
    fn one(&self, made: &Reply) -> String {
        let id = if self.path == "currencies" { &made.body["code"] } else { &made.body["id"] };
        format!("/{}/{}", self.path, id.as_str().unwrap())
    }

    async fn make(&self, org: Org<'_>) -> Reply {
        org.post(&self.all(), &self.body).await.expect(201)
    }
}

#[actix_web::test]
async fn each_is_made_read_listed_changed_and_deleted() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let made = resource.make(acme).await;
        let one = resource.one(&made);
        let place = format!("{}/api/v1{one}", instance.url);
        assert_eq!(made.header("Location"), Some(place.as_str()));
        assert!(made.body["createdAt"].is_string(), "{}", made.body);
        for (field, value) in resource.body.as_object().unwrap() {
            assert_eq!(&made.body[field], value, "{one}");
        }
        let read = acme.get(&one).await.expect(200);
        assert_eq!((&read.body, read.header("ETag")), (&made.body, made.header("ETag")));
        let listed = acme.get(&format!("{}?limit=1", resource.all())).await.expect(200);
        assert_eq!(listed.data(), std::slice::from_ref(&made.body), "{one}: newest first");

        let changed = acme.patch(&one, &resource.patch).await.expect(200);
        let mut expected = made.body.clone();
        expected.as_object_mut().unwrap().extend(resource.patch.as_object().unwrap().clone());
        assert_eq!(changed.body, expected, "{one}");
        assert_ne!(changed.header("ETag"), made.header("ETag"), "{one}");
        assert_eq!(acme.get(&one).await.body, expected, "{one}");

        if resource.path == "currencies" {
            acme.patch("/currencies/VND", &json!({"default": true})).await.expect(200);
        }
        acme.delete(&one).await.expect(204);
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let reply = acme.call("admin", method.clone(), &one, Some(&json!({}))).await;
            assert_eq!(reply.status, 404, "{method} {one}");
        }
    }
}

#[actix_web::test]
async fn members_may_do_nothing_with_them() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let one = resource.one(&resource.make(acme).await);
        for (method, path) in [
            (Method::GET, resource.all()),
            (Method::POST, resource.all()),
            (Method::GET, one.clone()),
            (Method::PATCH, one.clone()),
            (Method::DELETE, one.clone()),
        ] {
            let reply = acme.call("ann", method.clone(), &path, Some(&resource.body)).await;
            assert_eq!((reply.status, reply.problem().0), (403, "forbidden"), "{method} {path}");
        }
        acme.get(&one).await.expect(200);
    }
    for path in ["/settings", "/audit-log"] {
        acme.get_as("ann", path).await.expect(403);
    }
}

#[actix_web::test]
async fn those_of_another_org_are_404_and_stay_as_they_are() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    for resource in resources() {
        let made = resource.make(acme).await;
        let one = resource.one(&made);
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let reply = globex.call("owner", method.clone(), &one, Some(&resource.patch)).await;
            assert_eq!(reply.status, 404, "{method} {one}: {}", reply.body);
        }
        assert_eq!(acme.get(&one).await.body, made.body);
        let listed = globex.get(&format!("{}?limit=100", resource.all())).await.expect(200);
        assert!(listed.data().iter().all(|it| it["id"] != made.body["id"]), "{one}");
    }
}

#[actix_web::test]
async fn a_name_is_taken_in_any_case_but_by_itself_and_in_other_orgs() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let made = resource.make(acme).await;
        let (body, pointer) = &resource.taken;
        let reply = acme.post(&resource.all(), body).await.expect(409);
        assert_eq!(reply.problem(), ("name_taken", vec![("name_taken", *pointer)]));
        if resource.path != "currencies" {
            acme.patch(&resource.one(&made), body).await.expect(200);
            let other = instance.globex().post(&resource.all(), body).await;
            assert_eq!(other.status, 201, "{}: {}", resource.path, other.body);
        }
    }
}

/// Looking first and writing then would make two.
#[actix_web::test]
async fn of_simultaneous_ones_of_one_name_one_is_made() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let (all, body) = (resource.all(), &resource.body);
        let replies = join_all((0..4).map(|_| acme.post(&all, body))).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409], "{}", resource.path);
    }
}

#[actix_web::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let mut ones: Vec<String> =
        ["/settings", "/settings/email", "/settings/sms"].map(str::to_owned).into();
    for resource in resources() {
        ones.push(resource.one(&resource.make(acme).await));
    }
    for one in ones {
        let read = acme.get(&one).await.expect(200);
        let tag = read.header("ETag").unwrap();
        let with = async |method: Method, tags: &str| {
            Reply::to(acme.request("admin", method, &one).header("If-None-Match", tags)).await
        };
        for tags in [tag, "*", &format!("\"other\", W/{tag}")] {
            for method in [Method::GET, Method::HEAD] {
                let known = with(method, tags).await.expect(304);
                assert_eq!(known.header("ETag"), Some(tag), "{one} {tags}");
                assert_eq!(known.header("Cache-Control"), Some("no-store"), "{one}");
                assert_eq!(known.body, "", "{one} {tags}");
            }
        }
        assert_eq!(with(Method::GET, "\"other\"").await.expect(200).body, read.body, "{one}");
    }
}

#[actix_web::test]
async fn a_change_or_deletion_of_what_has_changed_since_it_was_read_is_refused() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let made = resource.make(acme).await;
        let (one, old) = (resource.one(&made), made.header("ETag").unwrap());
        let with = async |method: Method, tag: &str| {
            let request = acme.request("admin", method, &one).header("If-Match", tag);
            Reply::to(request.json(&resource.patch)).await
        };
        let changed = with(Method::PATCH, old).await.expect(200);
        for method in [Method::PATCH, Method::DELETE] {
            let stale = with(method, old).await.expect(412);
            assert_eq!(stale.problem().0, "precondition_failed", "{one}");
        }
        with(Method::PATCH, changed.header("ETag").unwrap()).await.expect(200);
    }
}

#[actix_web::test]
async fn faults_of_fields_and_queries_are_422_with_their_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for resource in resources() {
        let made = resource.make(acme).await;
        let key = resource.taken.1.trim_start_matches('/');
        for (field, value, code) in [
            ("nonsense", json!(1), "unknown_field"),
            (key, json!(7), "wrong_type"),
            (key, json!("a\0"), "nul_character"),
        ] {
            let mut body = resource.body.clone();
            body[field] = value.clone();
            let pointer = format!("/{field}");
            let expected = ("invalid_fields", vec![(code, pointer.as_str())]);
            let reply = acme.post(&resource.all(), &body).await.expect(422);
            assert_eq!(reply.problem(), expected, "{}", resource.path);
            let patch = json!({field: value});
            let reply = acme.patch(&resource.one(&made), &patch).await.expect(422);
            assert_eq!(reply.problem(), expected, "{}", resource.path);
        }
        if key == "name" {
            for (name, code) in [(" \u{a0}", "required"), (&*"ế".repeat(256), "too_long")] {
                let mut body = resource.body.clone();
                body["name"] = json!(name);
                let reply = acme.post(&resource.all(), &body).await.expect(422);
                assert_eq!(reply.problem().1, [(code, "/name")], "{}", resource.path);
            }
        }
        for (query, pointer) in [("nonsense=1", "/nonsense"), ("limit=0", "/limit")] {
            let reply = acme.get(&format!("{}?{query}", resource.all())).await.expect(422);
            assert_eq!(reply.problem().1, [("invalid_query", pointer)], "{}", resource.path);
        }
        assert_eq!(acme.get(&resource.one(&made)).await.body, made.body);
    }
}

#[actix_web::test]
async fn lists_come_in_pages_newest_first_and_by_name() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let mut made = Vec::new();
    for number in 0..5 {
        let body = json!({"name": format!("Tag {number}")});
        made.insert(0, acme.post("/tags", &body).await.expect(201).body);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = acme.get(&format!("/tags?limit=2&cursor={cursor}")).await.expect(200);
        seen.extend(page.data().to_vec());
        match page.body["page"]["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, made);
    for (query, names) in [
        ("tags?name=tag%203", vec!["Tag 3"]),
        ("sources?name=WEBSITE", vec!["Website"]),
        ("groups?name=sales", vec!["Sales"]),
        ("slas?name=Custom", vec!["custom"]),
        ("custom-fields?name=pet&model=deal", vec!["Pet"]),
        ("users?name=BOB", vec!["bob"]),
        ("users?email=BOB@acme.test", vec!["bob"]),
        ("users?role=admin", vec!["admin"]),
        ("users?active=false", vec![]),
        ("tags?name=none", vec![]),
    ] {
        let found = acme.get(&format!("/{query}")).await.expect(200);
        assert_eq!(found.each("name"), names, "{query}");
    }
    assert_eq!(acme.get("/currencies?code=usd").await.each("code"), ["USD"]);
    for query in ["users?role=boss", "users?active=1", "custom-fields?model=note"] {
        acme.get(&format!("/{query}")).await.expect(422);
    }
}

/// Other servers hold the org's names in memory.
#[actix_web::test]
async fn a_change_acts_at_once_on_every_server() {
    let instance = Instance::start().await;
    let other = instance.another();
    let acme = instance.acme();
    let listener = acme.listener().await;
    let there = listener.on(&other);
    let deal = |stage: &str, name: &str| json!({"name": name, "stage": stage, "currency": "EUR", "dealWith": {"name": "Huy", "emails": [{"value": "h@x.com"}]}});
    let refused = there.act("add-deal", deal("Đàm phán", "One")).await.expect(422);
    assert_eq!(refused.body["results"][0]["error"]["errors"].as_array().unwrap().len(), 2);
    let stage = acme.post("/deal-stages", &json!({"name": "Đàm phán"})).await.expect(201).body;
    acme.post("/currencies", &json!({"code": "EUR"})).await.expect(201);
    there.act("add-deal", deal("ĐÀM PHÁN", "One")).await.expect(200);
    let path = format!("/deal-stages/{}", stage["id"].as_str().unwrap());
    acme.patch(&path, &json!({"name": "Thương lượng"})).await.expect(200);
    there.act("add-deal", deal("Đàm phán", "Two")).await.expect(422);
    there.act("add-deal", deal("thương lượng", "Two")).await.expect(200);
    let read = acme.on(&other).get("/deals").await.expect(200);
    assert_eq!(read.data()[0]["stage"], "Thương lượng");
}

#[actix_web::test]
async fn the_org_is_read_and_changed_as_one_document() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let read = acme.get("/settings").await.expect(200);
    let mut expected = json!({
        "name": "acme", "slug": "acme", "timeZone": "Asia/Ho_Chi_Minh", "defaultRegion": "VN",
        "defaultCurrency": "VND",
    });
    assert_eq!(read.body, expected);
    let patch = json!({
        "name": " Acme ", "timeZone": "Europe/Berlin", "defaultRegion": "de", "defaultCurrency": "usd",
    });
    let changed = acme.patch("/settings", &patch).await.expect(200);
    let normal = json!({
        "name": "Acme", "timeZone": "Europe/Berlin", "defaultRegion": "DE", "defaultCurrency": "USD",
    });
    expected.as_object_mut().unwrap().extend(normal.as_object().unwrap().clone());
    assert_eq!(changed.body, expected);
    assert_eq!(acme.get("/settings").await.body, expected);
    let stale = acme.request("admin", Method::PATCH, "/settings");
    let stale = stale.header("If-Match", read.header("ETag").unwrap()).json(&json!({"name": "B"}));
    Reply::to(stale).await.expect(412);

    // A payload is read by them.
    let listener = acme.listener().await;
    let contact = json!({"name": "Eva", "phones": [{"value": "030 901820"}]});
    listener.act("add-contact", contact).await.expect(200);
    let eva = acme.get("/contacts/PID-1").await.expect(200).body;
    assert_eq!(eva["phones"][0]["e164"], "+4930901820");
    assert_eq!(instance.globex().get("/settings").await.body["timeZone"], "Asia/Ho_Chi_Minh");
}

#[actix_web::test]
async fn a_fault_in_the_orgs_settings_is_told_with_its_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for (patch, code, pointer) in [
        (json!({"name": ""}), "required", "/name"),
        (json!({"name": null}), "required", "/name"),
        (json!({"slug": "a b"}), "invalid_value", "/slug"),
        (json!({"timeZone": "Saigon"}), "invalid_value", "/timeZone"),
        (json!({"defaultRegion": "XX"}), "invalid_value", "/defaultRegion"),
        (json!({"defaultCurrency": "EUR"}), "unknown_currency", "/defaultCurrency"),
        (json!({"id": "x"}), "unknown_field", "/id"),
    ] {
        let reply = acme.patch("/settings", &patch).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_fields", vec![(code, pointer)]), "{patch}");
    }
}

#[actix_web::test]
async fn the_slug_is_the_owners_and_unique_in_the_instance() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let slug = json!({"slug": "acme-2"});
    let refused = acme.patch("/settings", &slug).await.expect(403);
    assert_eq!(refused.problem().0, "forbidden");
    acme.patch("/settings", &json!({"slug": "ACME", "name": "A"})).await.expect(200);
    let taken = json!({"slug": " Globex"});
    let reply = acme.call("owner", Method::PATCH, "/settings", Some(&taken)).await.expect(409);
    assert_eq!(reply.problem(), ("slug_taken", vec![("slug_taken", "/slug")]));
    let reply = acme.call("owner", Method::PATCH, "/settings", Some(&slug)).await.expect(200);
    assert_eq!(reply.body["slug"], "acme-2");
}
