use super::testing::{document, places};
use super::*;

fn conversation(id: u32, visitor: &str) -> Value {
    json!({"id": id, "visitor_uid": visitor})
}

fn body() -> Vec<u8> {
    let items = [conversation(1, "a"), conversation(2, "b"), conversation(3, "a")];
    let visitors = json!({"a": {"email": "a@x.com"}, "b": {"email": "b@x.com"}, "c": null});
    document("conversations", &items, &json!({"visitor": visitors, "tag": {"1": {"name": "x"}}}))
}

fn as_they_are(item: &Value, visitor: &Value) -> Value {
    json!([item, visitor])
}

fn all(body: &[u8]) -> Option<BTreeSet<usize>> {
    items_that(body, as_they_are, |_| true)
}

#[test]
fn what_is_no_such_document_is_refused() {
    let (none, many) = (json!({}), vec![json!({}); MOST_ITEMS + 1]);
    let too_many = document("x", &many, &none);
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for (body, code) in [
        (&b""[..], Code::NotJson),
        (b"{", Code::NotJson),
        (b"\xff", Code::NotJson),
        (deep.as_bytes(), Code::TooDeep),
        (b"[]", Code::InvalidEnvelope),
        (b"{}", Code::InvalidEnvelope),
        (br#"{"resource": 1, "items": [], "lookups": {}}"#, Code::InvalidEnvelope),
        (br#"{"resource": "x", "items": {}, "lookups": {}}"#, Code::InvalidEnvelope),
        (br#"{"resource": "x", "items": [], "lookups": []}"#, Code::InvalidEnvelope),
        (br#"{"resource": "x", "items": []}"#, Code::InvalidEnvelope),
        (&too_many, Code::TooManyActions),
    ] {
        let refusal = Document::read(body).unwrap_err();
        assert_eq!(refusal.code, code, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(Document::read(&document("x", &many[1..], &none)).unwrap().items.len(), MOST_ITEMS);
}

#[test]
fn an_item_that_is_none_fails_alone_and_in_its_place() {
    let items = [json!({"id": 1}), json!({}), json!([1]), json!("x"), json!(null)];
    let document = Document::read(&document("x", &items, &json!({}))).unwrap();
    let drafts = document.drafts(Part::Activity, |_| Vec::new());
    let failed = drafts.iter().map(|draft| (draft.item, places(&draft.diagnostics.faults)[0]));
    assert_eq!(
        failed.collect::<Vec<_>>(),
        [
            (1, ("required", "/items/1")),
            (2, ("wrong_type", "/items/2")),
            (3, ("wrong_type", "/items/3")),
            (4, ("wrong_type", "/items/4")),
        ]
    );
}

#[test]
fn what_is_blank_or_of_another_type_is_absent() {
    for (value, text) in [
        (json!(" Ann\u{0} "), Some("Ann")),
        (json!("Vie\u{302}\u{323}t"), Some("Việt")),
        (json!(12), Some("12")),
        (serde_json::from_str("1.50").unwrap(), Some("1.50")),
        (json!("0"), Some("0")),
        (json!(" \u{0}\u{a0}"), None),
        (json!(""), None),
        (json!(null), None),
        (json!(true), None),
        (json!(["x"]), None),
        (json!({"a": 1}), None),
    ] {
        assert_eq!(text_of(&value).as_deref(), text, "{value}");
    }
    let item = json!({"yes": true, "one": "1", "word": "true", "no": false, "zero": 0, "id": "7"});
    let object = Object { fields: item.as_object().unwrap(), at: Pointer::root() };
    assert!(object.says("yes") && object.says("one") && object.says("word"));
    assert!(!object.says("no") && !object.says("zero") && !object.says("absent"));
    assert_eq!((object.id("id").as_deref(), object.id("zero")), (Some("7"), None));
}

#[test]
fn what_is_too_long_is_cut_and_said_so() {
    let mut draft = Draft::new(0, &pointer_to(0), Part::Activity);
    let from = pointer_to(0).member("result");
    put_line(&mut draft, "outcome", &"é".repeat(255), &from);
    assert_eq!(
        (draft.diagnostics.warnings.len(), draft.data.fields["outcome"].as_str()),
        (0, Some("é".repeat(255).as_str()))
    );
    put_line(&mut draft, "outcome", &"é".repeat(256), &from);
    assert_eq!(draft.data.fields["outcome"], json!(format!("{}…", "é".repeat(254))));
    assert_eq!(places(&draft.diagnostics.warnings), [("too_long", "/items/0/result")]);
    let texts = ["a", "b", "c"].map(|name| (name, json!("\u{1}".repeat(1500))));
    put_details(&mut draft, texts, &from);
    let details = &draft.data.fields["details"];
    assert_eq!(details.as_object().unwrap().len(), 1, "a control character takes six bytes");
    assert!(details.to_string().len() <= LARGEST_DETAILS);
    assert_eq!(draft.diagnostics.warnings.len(), 3);
}

#[test]
fn an_item_is_asked_for_with_the_visitor_who_was_looked_up_for_it() {
    for (words, those) in [
        ("\"a@x.com\"", vec![0, 2]),
        ("\"b@x.com\"", vec![1]),
        ("\"id\":2", vec![1]),
        ("\"x\"", vec![]),
    ] {
        let named = |told: &Value| told.to_string().contains(words);
        let expected = Some(those.into_iter().collect());
        assert_eq!(items_that(&body(), as_they_are, named), expected, "{words}");
    }
    assert_eq!(items_that(b"{}", as_they_are, |_| true), None);
}

#[test]
fn a_redacted_item_stands_empty_in_its_place_and_takes_its_visitor_along() {
    for (items, left) in [
        (vec![1], vec!["a"]),
        (vec![0], vec!["a", "b"]),
        (vec![0, 2], vec!["b"]),
        (vec![0, 1, 2], vec![]),
    ] {
        let items: BTreeSet<usize> = items.into_iter().collect();
        let redacted = redacted(&body(), &items).unwrap();
        let read: Value = serde_json::from_slice(&redacted).unwrap();
        for index in 0..3 {
            assert_eq!(read["items"][index] == json!({}), items.contains(&index), "{items:?}");
        }
        let visitors: Vec<&String> =
            read["lookups"]["visitor"].as_object().unwrap().keys().collect();
        assert_eq!(visitors, left, "{items:?}");
        assert_eq!(read["lookups"]["tag"], json!({"1": {"name": "x"}}));
        assert_eq!(all(&redacted), all(&body()));
    }
    assert_eq!(redacted(&body(), &BTreeSet::from([3])), None);
    assert_eq!(redacted(b"{}", &BTreeSet::new()), None);
}
