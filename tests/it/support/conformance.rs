//! Every answer that a test gets is held against the OpenAPI document.
//!
//! A client made from the document breaks on a status that it does not tell of, and on a field that
//! is not what it says; no test would notice, had each to ask for itself.

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex};

static DESCRIBED: LazyLock<Described> =
    LazyLock::new(|| Described::new(serde_json::to_value(beeiq::http::document()).unwrap()));

/// An answer, as far as the document tells of it.
pub(super) struct Answered<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) content_type: Option<&'a str>,
    pub(super) text: &'a str,
}

/// Fails the test where the document does not have it. What is no path of it, and a method that a
/// path does not have, are not its business.
#[track_caller]
pub(super) fn check(answered: &Answered<'_>) {
    if let Some(complaint) = DESCRIBED.complaint(answered) {
        let Answered { method, path, status, .. } = answered;
        panic!("{method} {path} → {status} is not as /openapi.json has it: {complaint}");
    }
}

struct Described {
    paths: Map<String, Value>,
    components: Value,
    /// By their schemas, made when first needed: one of them takes some milliseconds.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Described {
    fn new(document: Value) -> Self {
        let mut document = document;
        let parts: BTreeSet<String> = parts_of_all_of(&document);
        let mut components = document["components"].take();
        for (name, schema) in components["schemas"].as_object_mut().unwrap() {
            close(schema, !parts.contains(name));
        }
        let paths = document["paths"].as_object().unwrap().clone();
        Self { paths, components, validators: Mutex::default() }
    }

    fn complaint(&self, answered: &Answered<'_>) -> Option<String> {
        let operations = self.operations(answered.path)?;
        // HEAD is GET without the body, and is not described beside it.
        let head = answered.method == Method::HEAD;
        let method = if head { "get" } else { &answered.method.as_str().to_lowercase() };
        let operation = operations.get(method)?;
        let Some(response) = operation["responses"].get(answered.status.to_string()) else {
            return Some(format!("it has no such status. The body: {}", answered.text));
        };
        if head {
            return None;
        }
        let Some(contents) = response["content"].as_object() else {
            return (!answered.text.is_empty()).then(|| format!("a body: {}", answered.text));
        };
        let whole = answered.content_type.unwrap_or_default();
        let kind = whole.split(';').next().unwrap().trim();
        let Some(content) = contents.get(whole).or_else(|| contents.get(kind)) else {
            return Some(format!("it has no content type \"{kind}\""));
        };
        if !kind.ends_with("json") {
            return None;
        }
        let Ok(body) = serde_json::from_str::<Value>(answered.text) else {
            return Some(format!("no JSON: {}", answered.text));
        };
        self.faults(&content["schema"], &body)
            .or_else(|| undescribed_code(answered.status, response, &body))
    }

    /// The operations of the path that a URL's path matches; a fixed part goes before a parameter.
    fn operations(&self, path: &str) -> Option<&Map<String, Value>> {
        let parts: Vec<&str> = path.split('/').collect();
        let matches = |pattern: &str| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            let same = |(pattern, part): (&&str, &&str)| {
                pattern == part || (pattern.starts_with('{') && !part.is_empty())
            };
            pattern.len() == parts.len() && pattern.iter().zip(&parts).all(same)
        };
        let found = self.paths.iter().filter(|(pattern, _)| matches(pattern));
        let (_, operations) = found.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
        operations.as_object()
    }

    fn faults(&self, schema: &Value, body: &Value) -> Option<String> {
        let validator = self.validator(schema);
        let mut told = String::new();
        for error in validator.iter_errors(body).take(5) {
            let at = error.instance_path().to_string();
            write!(told, "\n  at \"{at}\": {error} ({})", error.schema_path()).unwrap();
        }
        (!told.is_empty()).then(|| format!("{told}\n{body:#}"))
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators =
            self.validators.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let make = || {
            let mut whole = schema.clone();
            close(&mut whole, true);
            whole["components"] = self.components.clone();
            let options = jsonschema::options().should_validate_formats(true);
            let made = options.build(&whole);
            Arc::new(made.unwrap_or_else(|error| panic!("{schema} is no schema: {error}")))
        };
        Arc::clone(validators.entry(schema.to_string()).or_insert_with(make))
    }
}

/// A problem's code is one of those that the description of its status lists.
fn undescribed_code(status: u16, response: &Value, body: &Value) -> Option<String> {
    if status < 400 {
        return None;
    }
    let (code, told) = (body["code"].as_str()?, response["description"].as_str()?);
    let missing = !told.contains(&format!("`{code}`"));
    missing.then(|| format!("its description does not list `{code}`: {told}"))
}

/// The components that are put together with others: there is more beside them.
fn parts_of_all_of(document: &Value) -> BTreeSet<String> {
    match document {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let mut found = parts_of_all_of(value);
                if name == "allOf" {
                    let parts = value.as_array().into_iter().flatten();
                    let named = parts.filter_map(|part| part["$ref"].as_str()?.rsplit('/').next());
                    found.extend(named.map(str::to_owned));
                }
                found
            })
            .collect(),
        Value::Array(entries) => entries.iter().flat_map(parts_of_all_of).collect(),
        _ => BTreeSet::new(),
    }
}

/// A client has to put up with fields that it does not know, so schemas of answers are open; but
/// what the server sends is all described.
fn close(schema: &mut Value, whole: bool) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name == "allOf" {
                    for part in value.as_array_mut().unwrap() {
                        close(part, false);
                    }
                } else if !matches!(name.as_str(), "example" | "examples" | "default") {
                    close(value, true);
                }
            }
            let shaped = members.contains_key("allOf")
                || members.get("properties").is_some_and(Value::is_object);
            let open = !members.contains_key("additionalProperties");
            if whole && shaped && open {
                members.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| close(entry, true)),
        _ => {}
    }
}

mod tests {
    use super::*;

    fn complaint(
        (method, path, status): (Method, &str, u16),
        content_type: &str,
        text: &str,
    ) -> Option<String> {
        let (method, content_type) = (&method, Some(content_type));
        DESCRIBED.complaint(&Answered { method, path, status, content_type, text })
    }

    /// A check that lets everything through makes every test of this suite a little emptier.
    #[test]
    fn an_answer_outside_the_document_is_complained_of() {
        let id = "01a1fbad-0000-7000-8000-000000000000";
        let tag = json!({"id": id, "name": "VIP", "createdAt": "2026-01-31T08:00:00Z"});
        let problem = json!({
            "type": "urn:beeiq:problem:not_found", "title": "Not found", "status": 404,
            "detail": "There is no such tag.", "code": "not_found", "requestId": id,
        });
        let read = |status| (Method::GET, "/api/v1/tags/1", status);
        let (json, problem_json) = ("application/json", "application/problem+json");
        let with = |body: &Value, field: &str, value: Value| {
            let mut body = body.clone();
            body[field] = value;
            body.to_string()
        };
        assert_eq!(complaint(read(200), json, &tag.to_string()), None);
        assert_eq!(complaint(read(404), problem_json, &problem.to_string()), None);
        for (asked, kind, text, words) in [
            (read(200), json, with(&tag, "id", json!("x")), "at \"/id\""),
            (read(200), json, with(&tag, "name", json!(null)), "at \"/name\""),
            (read(200), json, with(&tag, "colour", json!("red")), "colour"),
            (read(200), json, "{}".to_owned(), "required"),
            (read(200), "text/plain; charset=utf-8", tag.to_string(), "text/plain"),
            (read(204), json, String::new(), "status"),
            (read(404), problem_json, with(&problem, "code", json!("in_use")), "in_use"),
            ((Method::DELETE, "/api/v1/tags/1", 204), json, "{}".to_owned(), "a body"),
        ] {
            let complaint = complaint(asked, kind, &text).expect(words);
            assert!(complaint.contains(words), "{complaint}");
        }
    }

    #[test]
    fn a_fixed_path_goes_before_one_with_a_parameter() {
        let fixed = DESCRIBED.operations("/api/v1/deliveries/replay").unwrap();
        assert!(fixed.contains_key("post") && !fixed.contains_key("get"));
        assert!(DESCRIBED.operations("/api/v1/deliveries/x").unwrap().contains_key("get"));
        assert!(DESCRIBED.operations("/api/v1/nothing").is_none());
    }
}
