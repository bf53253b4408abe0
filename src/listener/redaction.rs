//! Taking one customer out of what is kept of a delivery (`api.md` 5, erasing).

use crate::payload;
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

/// Deeper than any body that was taken.
const DEPTH: usize = 128;

/// A delivery's body and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The body.
    pub body: Vec<u8>,
    /// The answer, where there was one.
    pub answer: Option<String>,
}

/// What may stay of a delivery that one of these ids had to do with: the actions that touched it
/// lose their data, and their results what they quote of it. Where it cannot be told which actions
/// these were, nothing stays.
#[must_use]
pub fn redacted(kept: &Kept, ids: &HashSet<Uuid>) -> Kept {
    partly(kept, ids).unwrap_or_else(|| Kept { body: Vec::new(), answer: None })
}

fn partly(kept: &Kept, ids: &HashSet<Uuid>) -> Option<Kept> {
    let mut body = payload::parse(&kept.body, DEPTH).ok()?;
    let mut answer: Value = serde_json::from_str(kept.answer.as_deref()?).ok()?;
    let mut found = Vec::new();
    for (index, result) in answer.get_mut("results")?.as_array_mut()?.iter_mut().enumerate() {
        if touched(result, ids) {
            found.push(index);
            forget(result);
        }
    }
    if found.is_empty() {
        return None;
    }
    let actions = body.get_mut("data")?.as_array_mut()?;
    for &index in &found {
        *actions.get_mut(index)?.get_mut("data")? = json!({});
    }
    if let Some(errors) = answer.get_mut("errors").and_then(Value::as_array_mut) {
        errors.retain(|error| !is_about(error, &found));
    }
    Some(Kept { body: body.to_string().into_bytes(), answer: Some(answer.to_string()) })
}

fn touched(result: &Value, ids: &HashSet<Uuid>) -> bool {
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
        error.insert("message".to_owned(), json!("Erased."));
        error.insert("errors".to_owned(), json!([]));
    }
}

fn is_about(error: &Value, actions: &[usize]) -> bool {
    let pointer = error.get("pointer").and_then(Value::as_str).unwrap_or_default();
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

    fn erase(body: &Value, answer: Option<&Value>) -> Kept {
        redacted(&kept(body, answer), &HashSet::from([HIM]))
    }

    #[test]
    fn the_actions_that_touched_him_lose_their_data_and_the_others_stay() {
        let other = Uuid::from_u128(1);
        let answer = json!({
            "results": [result(0, HIM, &[]), result(1, other, &[]), result(2, other, &[HIM])],
            "errors": [{"pointer": "/data/0/data/name"}, {"pointer": "/data/1/data/name"}],
        });
        let left = erase(&body(), Some(&answer));
        let text = String::from_utf8(left.body).unwrap();
        assert!(text.contains("Lan") && !text.contains("Huy") && !text.contains("Mai"), "{text}");
        let answer: Value = serde_json::from_str(&left.answer.unwrap()).unwrap();
        let told = |index: usize| answer["results"][index].to_string().contains("Huy");
        assert_eq!([told(0), told(1), told(2)], [false, true, false]);
        assert_eq!(answer["errors"], json!([{"pointer": "/data/1/data/name"}]));
    }

    #[test]
    fn where_the_actions_cannot_be_told_nothing_stays() {
        let strange = json!({"results": [result(0, Uuid::from_u128(1), &[])]});
        let too_many = json!({"results": [result(0, HIM, &[])]});
        let no_data = json!({"senderUser": "a@b.c"});
        for (body, answer) in
            [(&body(), Some(&strange)), (&body(), None), (&no_data, Some(&too_many))]
        {
            let nothing = Kept { body: Vec::new(), answer: None };
            assert_eq!(erase(body, answer), nothing, "{body}");
        }
    }
}
