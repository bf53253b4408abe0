//! Every operation of the document against who may not: derived from the document, so that an
//! operation that is added is tested as well.

use crate::support::{Instance, Org, Reply, action, payload};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An operation of the management API.
struct Operation {
    method: Method,
    /// Below `/api/v1`.
    path: String,
    paged: bool,
}

impl Operation {
    /// Whether it lists a resource of the org.
    fn is_list(&self) -> bool {
        self.method == Method::GET && self.paged && !self.path.contains('{')
    }

    /// The list of the resource that its `{id}` belongs to.
    fn list(&self) -> Option<&str> {
        let (list, rest) = self.path.split_once("/{id}")?;
        assert!(!rest.contains('{'), "{}: a path with several parameters", self.path);
        Some(list)
    }

    /// A body that is right as far as the path: what is asked is whether it gets that far.
    fn body(&self) -> Option<Value> {
        let last = self.path.rsplit('/').next().unwrap();
        match (self.method.as_str(), last) {
            ("GET" | "DELETE", _) => None,
            (_, "password") => Some(json!({"password": "a brand new one"})),
            (_, "preview") => Some(json!({"data": {"name": "Huy"}})),
            (_, "replay") => Some(json!({"only": "all"})),
            _ => Some(json!({})),
        }
    }

    /// What members may call: they read records, and themselves.
    fn is_for_members(&self) -> bool {
        let resource = self.path.split('/').nth(1).unwrap();
        let records = ["contacts", "accounts", "leads", "deals", "tickets", "notes", "activities"];
        match self.method.as_str() {
            "GET" => records.contains(&resource) || self.path == "/me" || self.path == "/examples",
            "DELETE" => self.path == "/sessions/current",
            _ => false,
        }
    }
}

async fn operations(instance: &Instance) -> Vec<Operation> {
    let document = instance.get("/openapi.json").await.expect(200).body;
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1") else { continue };
        for (method, described) in methods.as_object().unwrap() {
            let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
            if described["security"] != json!([{}]) {
                operations.push(Operation {
                    method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                    path: path.to_owned(),
                    paged: parameters.iter().any(|parameter| parameter["name"] == "cursor"),
                });
            }
        }
    }
    assert!(operations.len() > 25, "{} operations", operations.len());
    operations
}

/// Gives an org one of everything that a path can name.
async fn fill(org: Org<'_>) {
    let listener = org.listener_with(json!({"welcomeSms": {"content": "Hi"}})).await;
    let connection = json!({
        "kind": "oktium", "name": "Calls of globex", "listenerId": listener.id,
        "senderUser": "ann@globex.test", "settings": {"secret": "of globex"},
    });
    org.post("/connections", &connection).await.expect(201);
    org.post("/api-keys", &json!({"name": "globex key", "role": "member"})).await.expect(201);
    let huy = json!({"contactType": "customer", "emails": [{"value": "huy@globex.test"}]});
    let mut body = payload(&[
        action(
            "add-contact",
            json!({
                "name": "Huy of globex", "tag": "of globex", "emails": [{"value": "huy@globex.test"}],
                "phones": [{"value": "0905000001"}], "companyContact": {"name": "globex trading"},
            }),
        ),
        action("add-lead", json!({"name": "Lan of globex"})),
        action("add-deal", json!({"name": "Deal of globex", "stage": "New", "dealWith": huy})),
        action("add-note", json!({"email": "huy@globex.test", "body": "A note of globex"})),
        action(
            "add-activity",
            json!({"kind": "call", "startedAt": "2026-01-31", "email": "huy@globex.test", "body": "A call of globex"}),
        ),
        action("add-ticket", json!({"email": "huy@globex.test", "body": "Help globex"})),
    ]);
    body["senderUser"] = json!("ann@globex.test");
    listener.post(&body).await.expect(200);
}

/// What globex's lists show to its owner.
async fn lists(globex: Org<'_>, operations: &[Operation]) -> BTreeMap<String, Vec<Value>> {
    let mut lists = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.is_list()) {
        let path = format!("{}?limit=100", operation.path);
        let rows = globex.get_as("owner", &path).await.expect(200).data().to_vec();
        lists.insert(operation.path.clone(), rows);
    }
    lists
}

/// The ids and codes by which what a list shows is addressed. A currency's code is every org's.
fn addresses<'r>(list: &str, row: &'r Value) -> Vec<&'r str> {
    let names =
        if list == "/currencies" { &["id"][..] } else { &["id", "customerId", "dealId", "code"] };
    names.iter().filter_map(|name| row[*name].as_str()).collect()
}

/// Calls an operation with each credential of acme's owner: a session, and a key.
async fn call(acme: Org<'_>, key: &str, operation: &Operation, path: &str) -> [Reply; 2] {
    let instance = acme.instance;
    let mut replies = Vec::new();
    for token in [acme.db_token("owner"), key.to_owned()] {
        let url = format!("/api/v1{path}");
        let mut request = instance.request(operation.method.clone(), &url).bearer_auth(token);
        if let Some(body) = operation.body() {
            request = request.json(&body);
        }
        replies.push(Reply::to(request).await);
    }
    replies.try_into().unwrap()
}

async fn owners_key(org: Org<'_>) -> String {
    let body = json!({"name": "Owner's", "role": "owner"});
    let made = org.call("owner", Method::POST, "/api-keys", Some(&body)).await.expect(201);
    made.body["key"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn what_another_org_has_is_404_for_every_operation_by_id_and_by_code() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    fill(globex).await;
    let operations = operations(&instance).await;
    let before = lists(globex, &operations).await;
    let key = owners_key(acme).await;
    let mut asked = 0;
    for operation in &operations {
        let Some(list) = operation.list() else { continue };
        let row = before.get(list).and_then(|rows| rows.first()).unwrap_or_else(|| {
            panic!("{}: give globex something that {list} lists", operation.path)
        });
        for address in addresses(list, row) {
            let path = operation.path.replace("{id}", address);
            let [by_session, by_key] = call(acme, &key, operation, &path).await;
            // No key sets passwords, of whomever.
            let key_may = !path.ends_with("/password");
            let of_key = if key_may { (404, "not_found") } else { (403, "forbidden") };
            for (reply, expected) in [(by_session, (404, "not_found")), (by_key, of_key)] {
                let got = (reply.status, reply.problem().0);
                assert_eq!(got, expected, "{} {path}: {}", operation.method, reply.body);
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked} calls");
    assert_eq!(lists(globex, &operations).await, before, "globex has what it had");
}

/// A cursor is made of an id: one of globex must not lead there.
#[actix_web::test]
async fn no_list_shows_anything_of_another_org_whatever_its_cursor_is() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    fill(globex).await;
    let operations = operations(&instance).await;
    let theirs = lists(globex, &operations).await;
    let ids: Vec<&str> = theirs.values().flatten().filter_map(|row| row["id"].as_str()).collect();
    let key = owners_key(acme).await;
    // Ids are in order of time: this page of globex ends where acme's lists would go on.
    globex.post("/api-keys", &json!({"name": "The last", "role": "member"})).await.expect(201);
    let page = globex.get_as("owner", "/api-keys?limit=1").await.expect(200);
    let cursor = page.body["page"]["nextCursor"].as_str().unwrap();
    for operation in operations.iter().filter(|operation| operation.paged) {
        if operation.path.contains('{') {
            continue;
        }
        for query in ["?limit=100".to_owned(), format!("?limit=100&cursor={cursor}")] {
            let path = format!("{}{query}", operation.path);
            for reply in call(acme, &key, operation, &path).await {
                let shown = reply.expect(200).body.to_string();
                let leaked = ids.iter().find(|id| shown.contains(**id));
                assert!(leaked.is_none() && !shown.contains("globex"), "{path}: {shown}");
            }
        }
    }
}

/// A role is asked for by every handler itself, and so it can be forgotten.
#[actix_web::test]
async fn a_member_is_refused_by_every_operation_that_is_not_a_members() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let body = json!({"name": "Member's", "role": "member"});
    let key = acme.post("/api-keys", &body).await.expect(201).body["key"].clone();
    let mut refused = 0;
    for operation in operations(&instance).await {
        let path = operation.path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        for token in [&acme.db_token("ann"), key.as_str().unwrap()] {
            if operation.is_for_members() {
                continue;
            }
            let url = format!("/api/v1{path}");
            let request = instance.request(operation.method.clone(), &url).bearer_auth(token);
            let reply = Reply::to(request.json(&operation.body())).await;
            assert_eq!(reply.status, 403, "{} {path}: {}", operation.method, reply.body);
            assert_eq!(reply.problem().0, "forbidden");
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused} refusals");
}
