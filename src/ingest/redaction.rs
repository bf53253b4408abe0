//! Taking one customer out of what is kept of a delivery (`api.md` 5, erasing).

use beeiq_core::json;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// Deeper than any body that was taken.
const DEPTH: usize = 128;

/// What a message says that quoted what was sent.
const ERASED: &str = "Erased.";

/// A delivery's body and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The body.
    pub body: Vec<u8>,
    /// The answer, where there was one.
    pub answer: Option<String>,
}

/// The actions whose results in an answer tell of one of these ids, by their places in `data`;
/// nothing where the answer does not say.
#[must_use]
pub fn touched(answer: &str, ids: &HashSet<Uuid>) -> Option<BTreeSet<usize>> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let results = answer.get("results")?.as_array()?;
    results.iter().filter(|result| tells_of(result, ids)).map(place).collect()
}

/// What may stay of a delivery when these of its actions are forgotten: they lose their data, and
/// their results what they quote of it. A body that cannot be taken apart goes, and so does its
/// answer.
#[must_use]
pub fn redacted(kept: &Kept, actions: &BTreeSet<usize>) -> Kept {
    partly(kept, actions).unwrap_or_else(Kept::nothing)
}

impl Kept {
    /// What stays where it cannot be told which actions are meant.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { body: Vec::new(), answer: None }
    }
}

fn partly(kept: &Kept, actions: &BTreeSet<usize>) -> Option<Kept> {
    let mut body = json::parse(&kept.body, DEPTH).ok()?;
    let data = body.get_mut("data")?.as_array_mut()?;
    for &index in actions {
        *data.get_mut(index)?.get_mut("data")? = json!({});
    }
    let answer = match &kept.answer {
        Some(answer) => Some(without(serde_json::from_str(answer).ok()?, actions).to_string()),
        None => None,
    };
    Some(Kept { body: body.to_string().into_bytes(), answer })
}

/// An answer that quotes nothing of these actions.
fn without(mut answer: Value, actions: &BTreeSet<usize>) -> Value {
    let is_one = |result: &Value| place(result).is_some_and(|index| actions.contains(&index));
    let results = answer.get_mut("results").and_then(Value::as_array_mut);
    let results = results.map(Vec::as_mut_slice).unwrap_or_default();
    // The detail of a problem is what is wrong with the only action.
    let only = matches!(results, [only] if is_one(only));
    results.iter_mut().filter(|result| is_one(result)).for_each(forget);
    if let Some(detail) = answer.get_mut("detail").filter(|_| only) {
        *detail = json!(ERASED);
    }
    for list in ["errors", "warnings"] {
        if let Some(faults) = answer.get_mut(list).and_then(Value::as_array_mut) {
            faults.retain(|fault| !is_about(fault, actions));
        }
    }
    answer
}

/// Where the action of a result stands in `data`: of a replay, not every one has a result.
fn place(result: &Value) -> Option<usize> {
    result.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok())
}

fn tells_of(result: &Value, ids: &HashSet<Uuid>) -> bool {
    let is_one = |record: &Value| {
        let id = record.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        id.is_some_and(|id| ids.contains(&id))
    };
    let related = result.get("related").and_then(Value::as_array);
    result.get("record").is_some_and(is_one) || related.is_some_and(|all| all.iter().any(is_one))
}

/// Messages quote what was sent.
fn forget(result: &mut Value) {
    if let Some(warnings) = result.get_mut("warnings") {
        *warnings = json!([]);
    }
    if let Some(error) = result.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("message".to_owned(), json!(ERASED));
        error.insert("errors".to_owned(), json!([]));
    }
}

fn is_about(fault: &Value, actions: &BTreeSet<usize>) -> bool {
    let pointer = fault.get("pointer").and_then(Value::as_str).unwrap_or_default();
    let index = pointer.strip_prefix("/data/").and_then(|rest| rest.split('/').next());
    index.and_then(|index| index.parse().ok()).is_some_and(|index| actions.contains(&index))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIM: Uuid = Uuid::from_u128(7);

    fn kept(body: &Value, answer: Option<&Value>) -> Kept {
        Kept { body: body.to_string().into_bytes(), answer: answer.map(Value::to_string) }
    }

    fn body() -> Value {
        let action = |name: &str| json!({"actionType": "add-contact", "data": {"name": name}});
        json!({"senderUser": "a@b.c", "data": [action("Huy"), action("Lan"), action("Mai")]})
    }

    fn result(index: usize, id: Uuid, related: &[Uuid]) -> Value {
        let related: Vec<Value> = related.iter().map(|id| json!({"id": id})).collect();
        json!({"index": index, "record": {"id": id}, "related": related, "warnings": ["Huy"],
            "error": {"code": "x", "message": "Huy", "pointer": "/data/0", "errors": ["Huy"]}})
    }

    fn him(answer: &Value) -> Option<BTreeSet<usize>> {
        touched(&answer.to_string(), &HashSet::from([HIM]))
    }

    fn erase(body: &Value, answer: Option<&Value>, actions: &[usize]) -> Kept {
        redacted(&kept(body, answer), &actions.iter().copied().collect())
    }

    #[test]
    fn the_actions_that_touched_him_lose_their_data_and_the_others_stay() {
        let other = Uuid::from_u128(1);
        let answer = json!({
            "results": [result(0, HIM, &[]), result(1, other, &[]), result(2, other, &[HIM])],
            "errors": [{"pointer": "/data/0/data/name"}, {"pointer": "/data/1/data/name"}],
        });
        assert_eq!(him(&answer), Some(BTreeSet::from([0, 2])));
        let left = erase(&body(), Some(&answer), &[0, 2]);
        let text = String::from_utf8(left.body).unwrap();
        assert!(text.contains("Lan") && !text.contains("Huy") && !text.contains("Mai"), "{text}");
        let answer: Value = serde_json::from_str(&left.answer.unwrap()).unwrap();
        let told = |index: usize| answer["results"][index].to_string().contains("Huy");
        assert_eq!([told(0), told(1), told(2)], [false, true, false]);
        assert_eq!(answer["errors"], json!([{"pointer": "/data/1/data/name"}]));
    }

    /// The answer of a replay has the results of what it ran alone, its body is the whole one.
    #[test]
    fn an_action_is_told_by_its_index_not_by_the_place_of_its_result() {
        let answer = json!({"results": [result(2, HIM, &[])]});
        assert_eq!(him(&answer), Some(BTreeSet::from([2])));
        let left = erase(&body(), Some(&answer), &[2]);
        let text = String::from_utf8(left.body).unwrap();
        assert!(text.contains("Huy") && text.contains("Lan") && !text.contains("Mai"), "{text}");
        assert!(!left.answer.unwrap().contains("Huy"));
    }

    /// Where it failed there is no record that would tell of him, and the message quotes him.
    #[test]
    fn an_answer_that_does_not_tell_of_him_forgets_the_action_all_the_same() {
        let result = json!({"index": 0, "record": null, "warnings": [],
            "error": {"message": "Huy", "errors": [{"message": "Huy"}]}});
        let answer = json!({"detail": "Huy", "results": [result]});
        assert_eq!(him(&answer), Some(BTreeSet::new()));
        let one = json!({"data": [{"actionType": "add-contact", "data": {"name": "Huy"}}]});
        let left = erase(&one, Some(&answer), &[0]);
        assert!(!String::from_utf8(left.body).unwrap().contains("Huy"));
        assert!(!left.answer.unwrap().contains("Huy"));
        let unread = json!({"detail": "Nobody is ann@x.com.", "code": "unknown_sender"});
        assert_eq!(him(&unread), None);
        assert_eq!(erase(&one, Some(&unread), &[0]).answer, Some(unread.to_string()));
    }

    #[test]
    fn where_the_actions_cannot_be_told_nothing_stays() {
        let no_index = json!({"results": [{"record": {"id": HIM}}]});
        assert_eq!(him(&no_index), None);
        let too_few = json!({"senderUser": "a@b.c", "data": []});
        let no_data = json!({"senderUser": "a@b.c"});
        for body in [&too_few, &no_data, &json!("no object")] {
            assert_eq!(erase(body, None, &[0]), Kept::nothing(), "{body}");
        }
    }
}
