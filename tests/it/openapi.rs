//! The document at `/openapi.json` against the routes that there are (`api.md`, top).

use crate::support::{ANN, Instance, Reply};
use reqwest::Method;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

async fn paths(instance: &Instance) -> Map<String, Value> {
    let document = instance.get("/openapi.json").await.expect(200).body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    document["paths"].as_object().unwrap().clone()
}

/// The paths that the sources register: what follows each `resource("`.
fn registered(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut registered(&path));
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let registered = source.split("resource(").skip(1);
        let quoted = registered.filter_map(|rest| rest.trim_start().strip_prefix('"'));
        found.extend(quoted.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    found
}

/// A route that is not among those of `routes!` would not be described.
#[actix_web::test]
async fn every_path_that_is_registered_is_described() {
    let instance = Instance::start().await;
    let described: BTreeSet<String> = paths(&instance).await.keys().cloned().collect();
    assert!(described.contains("/listener/{token}"), "{described:?}");
    let by_hand = registered(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("http"));
    let pages = ["/openapi.json", "/docs", "/docs/{file:.*}"].map(str::to_owned);
    assert_eq!(by_hand, BTreeSet::from(pages), "the document itself is no path of its own");
}

/// A method that is served but not described answers something else than 405, and the other way
/// round.
#[actix_web::test]
async fn every_method_of_a_path_is_described() {
    let instance = Instance::start().await;
    for (path, operations) in paths(&instance).await {
        let path = path.replace("{token}", "x").replace("{id}", "x");
        let described = operations.as_object().unwrap();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let reply = Reply::to(instance.request(method.clone(), &path)).await;
            let served = reply.status != 405;
            let name = method.as_str().to_lowercase();
            assert_eq!(served, described.contains_key(&name), "{method} {path}: {}", reply.status);
        }
    }
}

/// Who forgets to ask for the token serves an operation to everybody.
#[actix_web::test]
async fn what_is_described_as_for_the_signed_in_is_401_without_a_token() {
    let instance = Instance::start().await;
    let mut protected = 0;
    for (path, operations) in paths(&instance).await {
        let path = path.replace("{token}", "x").replace("{id}", "x");
        for (method, operation) in operations.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let open = operation["security"] == serde_json::json!([{}]);
            let reply = Reply::to(instance.request(method.clone(), &path)).await;
            assert_eq!(reply.status == 401, !open, "{method} {path}: {}", reply.status);
            protected += usize::from(!open);
        }
    }
    assert!(protected > 10, "{protected} operations ask for a token");
}

/// The first thing that a reader of the document tries.
#[actix_web::test]
async fn the_payload_that_the_document_gives_as_an_example_is_applied() {
    let instance = Instance::start().await;
    let document = instance.get("/openapi.json").await.expect(200).body;
    let mut payload = document["components"]["schemas"]["Payload"]["example"].clone();
    payload["senderUser"] = ANN.into();
    let reply = instance.acme().listener().await.post(&payload).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"], "{:#}", reply.body);
    for result in reply.body["results"].as_array().unwrap() {
        assert_eq!(result["warnings"], serde_json::json!([]), "{result:#}");
    }
}

/// An example that is refused teaches the wrong thing.
#[actix_web::test]
async fn a_body_that_the_document_gives_as_an_example_is_taken() {
    let instance = Instance::start().await;
    let mut tried = 0;
    for (path, operations) in paths(&instance).await {
        let Some(below) = path.strip_prefix("/api/v1").filter(|path| !path.contains('{')) else {
            continue;
        };
        for (method, operation) in operations.as_object().unwrap() {
            let contents = operation["requestBody"]["content"].as_object().into_iter().flatten();
            for example in contents.filter_map(|(_, content)| content.get("example")) {
                // Nobody of that name signs in, and nothing answers to a trial.
                if below == "/sessions" || below.ends_with("/test") {
                    continue;
                }
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let reply = instance.acme().call("owner", method, below, Some(example)).await;
                assert!(matches!(reply.status, 200 | 201), "{path} {example}: {:#}", reply.body);
                tried += 1;
            }
        }
    }
    assert!(tried >= 4, "{tried} examples");
}

/// A page that loads anything from elsewhere is blank where the server is all that can be reached.
#[actix_web::test]
async fn the_document_is_browsed_at_docs_with_nothing_from_elsewhere() {
    let instance = Instance::start().await;
    let entered = instance.get("/docs").await.expect(200);
    let page = instance.get("/docs/").await.expect(200);
    assert_eq!(entered.body, page.body, "/docs leads to /docs/");
    assert!(page.header("Content-Type").unwrap().starts_with("text/html"));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert_eq!(page.header("Cache-Control"), Some("public, max-age=3600"));
    let html = page.body.as_str().unwrap();
    let files: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(files.len() > 3, "{html}");
    for file in &files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        instance.get(&format!("/docs/{}", file.trim_start_matches("./"))).await.expect(200);
    }
    // An inline script would be refused by the policy.
    assert!(!html.contains("<script>"), "{html}");
    let started = instance.get("/docs/swagger-initializer.js").await.expect(200);
    let script = started.body.as_str().unwrap();
    assert!(script.contains("../openapi.json") && script.contains("\"none\""), "{script}");
    instance.get("/docs/nothing.html").await.expect(404);
}

#[actix_web::test]
async fn a_path_that_is_not_there_is_a_problem_document() {
    let instance = Instance::start().await;
    for path in ["/", "/api/v1", "/api/v1/nothing", "/listener", "/contacts"] {
        let reply = instance.get(path).await.expect(404);
        assert_eq!(reply.header("Content-Type"), Some("application/problem+json"), "{path}");
        assert_eq!(reply.problem().0, "not_found");
        assert_eq!(reply.body["requestId"].as_str(), reply.header("X-Request-Id"));
    }
    let reply = Reply::to(instance.request(Method::PUT, "/api/v1/listeners")).await.expect(405);
    assert_eq!(reply.problem().0, "method_not_allowed");
    assert!(reply.header("Allow").is_some_and(|allowed| allowed.contains("POST")));
}
