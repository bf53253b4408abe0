//! The document at `/openapi.json` against the routes that there are (`api.md`, top).

use crate::support::{Instance, Reply};
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

#[actix_web::test]
async fn every_path_that_is_registered_is_described() {
    let instance = Instance::start().await;
    let described: BTreeSet<String> = paths(&instance).await.keys().cloned().collect();
    let mut registered =
        registered(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("http"));
    assert!(registered.remove("/openapi.json"), "the document itself is no path of its own");
    assert!(registered.contains("/listener/{token}"), "{registered:?}");
    assert_eq!(described, registered);
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
