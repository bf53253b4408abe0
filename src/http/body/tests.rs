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
    assert_eq!(working_bytes(objects.as_bytes()).unwrap_err().code, Code::TooComplex);
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
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
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
