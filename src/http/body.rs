//! JSON bodies of the management API (`api.md` 2). Read after the caller has been authenticated:
//! a handler takes the payload as it is, and reads it here.

use crate::problem::Problem;
use actix_web::web::{self, Bytes};
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::json::Meter;
use beeiq_core::values::suggest;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::time::Duration;

/// The largest body: 1 MiB.
const LARGEST: usize = 1024 * 1024;
/// The largest body of somebody who has not signed in: 16 KiB.
const LARGEST_OF_ANYBODY: usize = 16 * 1024;
/// The most memory that reading one may take: 32 MiB. A few bytes can become a hundred times as many.
const MOST_MEMORY: usize = 32 * 1024 * 1024;
/// How deep serde reads.
const DEEPEST: usize = 128;
/// How long it may take to arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// Reads a body as a value of `T`.
///
/// # Errors
/// 400 where it is not JSON, 408 or 413 where it is too slow or too large, 422 for its fields.
pub async fn json<T: DeserializeOwned>(payload: web::Payload) -> Result<T, Problem> {
    from_value(value(payload).await?)
}

/// Reads a body of somebody who has not signed in: a small one.
///
/// # Errors
/// As [`json`].
pub async fn json_of_anybody<T: DeserializeOwned>(payload: web::Payload) -> Result<T, Problem> {
    from_value(parse(&bytes(payload, LARGEST_OF_ANYBODY).await?)?)
}

/// Reads a body as any JSON value that holds no NUL.
///
/// # Errors
/// As [`json`].
pub async fn value(payload: web::Payload) -> Result<Value, Problem> {
    parse(&bytes(payload, LARGEST).await?)
}

async fn bytes(payload: web::Payload, largest: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(DEADLINE, payload.to_bytes_limited(largest)).await {
        Err(_) => Err(Problem::new(Code::BodyTooSlow, "The body took over 30 seconds.")),
        Ok(Err(_)) => {
            let detail = format!("The body has more than {} KiB.", largest / 1024);
            Err(Problem::new(Code::BodyTooLarge, detail))
        }
        Ok(Ok(Err(_))) => {
            Err(Problem::new(Code::NotJson, "The body ended before it was complete."))
        }
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Err(Problem::new(Code::NotJson, "The body is empty; send a JSON object."));
    }
    let mut meter = Meter::new(DEEPEST);
    meter.feed(bytes);
    if meter.working_bytes() > MOST_MEMORY {
        return Err(Problem::new(Code::TooComplex, "The body holds too many values."));
    }
    let value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::new(Code::NotJson, format!("The body is not JSON: {error}.")))?;
    let mut faults = Vec::new();
    find_nul(&value, &Pointer::root(), &mut faults);
    if faults.is_empty() { Ok(value) } else { Err(Problem::fields(faults)) }
}

/// Makes a `T` of a JSON value.
///
/// # Errors
/// 422 with the first fault of its structure.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    // serde would take an array of the fields' values for a structure.
    if !value.is_object() {
        return Err(not_an_object());
    }
    serde_path_to_error::deserialize(value).map_err(|error| Problem::fields(vec![fault(&error)]))
}

/// The state that a merge patch (RFC 7396) of `current` leads to. `current` has all fields that
/// there are: others are faults even where the patch sets them to null.
///
/// # Errors
/// 422 where the patch is no object or has an unknown field.
pub fn merged(current: Value, patch: Value) -> Result<Value, Problem> {
    let Value::Object(fields) = &patch else {
        return Err(not_an_object());
    };
    let known: Vec<&str> =
        current.as_object().into_iter().flat_map(|it| it.keys().map(String::as_str)).collect();
    let faults: Vec<Fault> = fields
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| unknown_field(&Pointer::root().member(name), name, &known))
        .collect();
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    Ok(merge(current, patch))
}

/// RFC 7396, section 2.
fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, change) in patch {
        match (target.remove(&name), change) {
            (_, Value::Null) => {}
            (old, change) => {
                target.insert(name, merge(old.unwrap_or(Value::Null), change));
            }
        }
    }
    Value::Object(target)
}

fn not_an_object() -> Problem {
    Problem::fields(vec![Fault::new(Code::WrongType, "", "The body must be a JSON object.")])
}

fn find_nul(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) {
    let fault = |at: &Pointer| Fault::new(Code::NulCharacter, at, "U+0000 cannot be kept.");
    match value {
        Value::String(text) if text.contains('\0') => faults.push(fault(at)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, &at.index(index), faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if name.contains('\0') {
                    faults.push(fault(at));
                }
                find_nul(member, &at.member(name), faults);
            }
        }
        _ => {}
    }
}

/// What serde says of a value, as a fault at its place. Its words are all that an error of serde
/// has, so they tell the kinds apart.
fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let mut at = Pointer::root();
    let mut last = "";
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => at = at.index(*index),
            Segment::Map { key } => {
                at = at.member(key);
                last = key;
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let words = error.inner().to_string();
    if words.starts_with("unknown field") {
        let known = words.rsplit_once(", expected").map_or("", |(_, names)| names);
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return unknown_field(&at, last, &known);
    }
    if let Some(name) = words.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`')) {
        let message = format!("The field \"{name}\" is required.");
        return Fault::new(Code::Required, at.member(name), message);
    }
    let code = match words.split_once(':').map_or(words.as_str(), |(kind, _)| kind) {
        "invalid type" => Code::WrongType,
        kind if kind.starts_with("unknown variant") => Code::InvalidChoice,
        _ => Code::InvalidValue,
    };
    Fault::new(code, at, format!("This value does not fit: {words}."))
}

fn unknown_field(at: &Pointer, name: &str, known: &[&str]) -> Fault {
    let message = match suggest::nearest(name, known.iter().copied()) {
        Some(meant) => format!("There is no field \"{name}\" to set; \"{meant}\" was meant?"),
        None => {
            let known = suggest::listed(known.iter().copied(), 20);
            format!("There is no field \"{name}\" to set; there are {known}.")
        }
    };
    Fault::new(Code::UnknownField, at, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is looked at")]
    struct Thing {
        name: String,
        #[serde(default)]
        parts: Vec<Thing>,
        colour: Option<Colour>,
        count: Option<u32>,
    }

    #[test]
    fn faults_of_fields_have_a_code_and_a_pointer() {
        for (value, code, pointer, words) in [
            (json!({}), Code::Required, "/name", "\"name\" is required"),
            (json!({"name": 1}), Code::WrongType, "/name", "expected a string"),
            (json!({"nme": "a"}), Code::UnknownField, "/nme", "\"name\" was meant"),
            (json!({"zzzzzzz": 1}), Code::UnknownField, "/zzzzzzz", "\"parts\""),
            (json!({"a/b": 1}), Code::UnknownField, "/a~1b", "no field"),
            (json!([]), Code::WrongType, "", "must be a JSON object"),
            (json!("x"), Code::WrongType, "", "must be a JSON object"),
            (
                json!({"name": "a", "parts": [{"name": "b"}, {}]}),
                Code::Required,
                "/parts/1/name",
                "required",
            ),
            (json!({"name": "a", "colour": "blue"}), Code::InvalidChoice, "/colour", "`red`"),
            (json!({"name": "a", "count": -1}), Code::InvalidValue, "/count", "invalid number"),
            (json!({"name": "a", "count": 1.5}), Code::InvalidValue, "/count", "invalid number"),
        ] {
            let problem = from_value::<Thing>(value.clone()).unwrap_err();
            let fault = &problem.errors[0];
            assert_eq!((fault.code, fault.pointer.as_str()), (code, pointer), "{value} {fault:?}");
            assert!(fault.message.contains(words), "{value}: {}", fault.message);
        }
    }

    #[test]
    fn what_is_not_json_is_400_with_line_and_column() {
        for (body, words) in [
            ("", "empty"),
            ("{\n  \"a\": }", "line 2 column 8"),
            ("{\"a\": 1", "line 1 column 7"),
            ("a=b&c=d", "line 1 column 1"),
            (&"[".repeat(5000), "recursion limit"),
        ] {
            let problem = parse(body.as_bytes()).unwrap_err();
            assert_eq!(problem.code, Code::NotJson, "{body:.20}");
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
        assert_eq!(parse(b"\"\xff\"").unwrap_err().code, Code::NotJson);
    }

    /// Anybody may post to the sign-in: a megabyte must not become a hundred.
    #[test]
    fn a_body_that_would_take_much_memory_is_refused_before_it_is_parsed() {
        let objects = format!("[{}]", vec![r#"{"":0}"#; LARGEST / 7].join(","));
        assert_eq!(parse(objects.as_bytes()).unwrap_err().code, Code::TooComplex);
    }

    #[test]
    fn nul_is_refused_wherever_it_is() {
        for (body, pointer) in [
            (r#"{"a": ["b", "c\u0000"]}"#, "/a/1"),
            (r#"{"a": {"b\u0000": 1}}"#, "/a"),
            (r#""\u0000""#, ""),
        ] {
            let problem = parse(body.as_bytes()).unwrap_err();
            assert_eq!(problem.errors[0].code, Code::NulCharacter, "{body}");
            assert_eq!(problem.errors[0].pointer, pointer, "{body}");
        }
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_merge_patch_does_what_the_rfc_shows() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merge(target.clone(), patch.clone()), result, "{target} {patch}");
        }
    }

    #[test]
    fn a_patch_is_an_object_of_known_fields() {
        let current = json!({"name": "a", "enabled": true});
        let fault = |patch| merged(current.clone(), patch).unwrap_err().errors[0].clone();
        assert_eq!(fault(json!({"nam": null})).code, Code::UnknownField);
        assert_eq!(fault(json!({"nam": null})).pointer, "/nam");
        assert_eq!(fault(json!([])).code, Code::WrongType);
        assert_eq!(
            merged(current.clone(), json!({"name": "b"})).unwrap(),
            json!({"name": "b", "enabled": true})
        );
    }
}
