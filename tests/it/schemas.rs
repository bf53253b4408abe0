//! What to send: the payload's JSON Schema and examples that work (`api.md` 6).

use crate::support::{Instance, Listener};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

#[track_caller]
fn assert_valid(schema: &Value, payload: &Value) {
    let validator = jsonschema::draft202012::new(schema).expect("the schema is one");
    let errors: Vec<String> =
        validator.iter_errors(payload).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{payload:#}");
}

fn samples() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

#[actix_web::test]
async fn the_schema_is_2020_12_and_every_sample_of_the_documents_is_valid_by_it() {
    let instance = Instance::start().await;
    let reply = instance.get("/schemas/listener.json").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/schema+json"));
    let schema = reply.body;
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], format!("{}/schemas/listener.json", instance.url));
    jsonschema::meta::validate(&schema).unwrap();
    let samples = samples();
    assert!(samples.len() > 10);
    for (name, payload) in samples {
        println!("{name}");
        assert_valid(&schema, &payload);
    }
}

async fn own_schema(listener: &Listener<'_>) -> Value {
    let path = format!("{}/schema", listener.path());
    listener.org.get(&path).await.expect(200).body
}

/// An example that does not work teaches senders what is wrong.
#[actix_web::test]
async fn every_example_works_on_a_new_org_and_is_valid_by_both_schemas() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let all = instance.get("/schemas/listener.json").await.expect(200).body;
    let own = own_schema(&listener).await["schema"].clone();
    let examples = acme.get_as("ann", "/examples").await.expect(200);
    let examples = examples.data();
    let of: Vec<&str> = examples.iter().map(|it| it["actionType"].as_str().unwrap()).collect();
    assert_eq!(of.len(), 9, "{of:?}");
    for example in examples {
        let (payload, action_type) = (&example["payload"], &example["actionType"]);
        assert_eq!(payload["senderUser"], "ann@acme.test");
        let last = payload["data"].as_array().unwrap().last().unwrap();
        assert_eq!(last["actionType"], *action_type);
        assert_valid(&all, payload);
        assert_valid(&own, payload);
        // Each on an org of its own would cost a database each: they have nothing but the org in common.
        acme.call("owner", reqwest::Method::POST, "/sandbox/reset", None).await.expect(200);
        for _ in 0..2 {
            let reply = listener.post(payload).await.expect(200);
            let warnings = reply.body["results"].as_array().unwrap().iter();
            let warned: Vec<_> =
                warnings.flat_map(|it| it["warnings"].as_array().unwrap()).collect();
            assert!(warned.is_empty(), "{action_type}: {warned:#?}");
        }
    }
    let contact = &examples[0]["payload"]["data"][0]["data"];
    assert_eq!(contact["permit"]["group"], "Sales");
    assert_eq!(contact["cusFields"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn a_listeners_own_schema_has_the_orgs_names_and_a_command_to_paste() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let guide = own_schema(&listener).await;
    let curl = guide["curl"].as_str().unwrap();
    assert!(curl.starts_with(&format!("curl -sS '{}' ", listener.url)), "{curl}");
    let (_, pasted) = curl.split_once("-d '").unwrap();
    let pasted: Value = serde_json::from_str(pasted.trim_end_matches('\'')).unwrap();
    assert_eq!(pasted, guide["example"]);
    listener.post(&guide["example"]).await.expect(200);
    let validator = jsonschema::draft202012::new(&guide["schema"]).unwrap();
    let deal = |stage: &str| {
        json!({"senderUser": "ann@acme.test", "data": [
            {"actionType": "add-deal", "data": {"name": "D", "stage": stage}},
        ]})
    };
    assert!(validator.is_valid(&deal("New")) && !validator.is_valid(&deal("Nowhere")));

    assert_eq!(acme.get_as("ann", &format!("{}/schema", listener.path())).await.status, 403);
    let foreign = instance.globex().get(&format!("{}/schema", listener.path())).await;
    foreign.expect(404);
}
