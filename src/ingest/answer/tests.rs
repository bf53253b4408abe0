use super::*;
use serde_json::{Value, json};

/// A field that this version has added is not in what earlier ones have kept.
#[test]
fn an_answer_without_any_field_but_its_results_is_still_read() {
    let result =
        DeliveryResult { actions: Vec::new(), warnings: Vec::new(), unreal: HashSet::new() };
    let answer = Answer::new(
        Uuid::nil(),
        Environment::Staging,
        Options::default(),
        result,
        Teller::Integrator,
    );
    let whole = serde_json::to_value(&answer).unwrap();
    let read = |answer: &Value| Answer::kept(&answer.to_string()).unwrap().is_some();
    let without = |place: &str, field: &str| {
        let mut older = whole.clone();
        older.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(field);
        older
    };
    for place in ["", "/summary"] {
        let fields = whole.pointer(place).unwrap().as_object().unwrap();
        for field in fields.keys().filter(|field| *field != "results") {
            assert!(read(&without(place, field)), "{place}/{field}");
        }
    }
    assert!(read(&json!({"results": []})));
}
