//! Taking one customer out of what is kept of deliveries (`api.md` 5, erasing).

use super::answer::Answer;
use crate::store::erasure::{self, KeptDelivery, Traces};
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use beeiq_core::formats::Format;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// How many deliveries are held in memory at a time: a body may have megabytes.
const CHUNK: usize = 20;
const PAGE: i64 = 20;

/// Erases a contact, account or lead with what hangs on it: identities, tags, notes, tickets,
/// messages and history go with it, and its part of the kept deliveries. Deals with it, and the
/// contacts of an account, stay without it. Nothing where there is no such customer.
pub(crate) fn erase_customer(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<(), StoreError> {
    erasure::lock(conn, org, customer)?;
    let traces = erasure::traces(conn, org, customer)?;
    let actions = actions_of(conn, org, &traces)?;
    for chunk in traces.kept.chunks(CHUNK) {
        for KeptDelivery { id, format, body, answer } in erasure::kept(conn, org, chunk)? {
            let root = chunk.iter().find(|kept| kept.id == id).map(|kept| kept.root);
            let actions = root.and_then(|root| actions.get(&root)).and_then(Option::as_ref);
            let Kept { body, answer } = match actions {
                Some(actions) if !actions.is_empty() => {
                    let items = actions.iter().map(|index| format.item_of(*index)).collect();
                    redacted(format, &Kept { body, answer }, &items)
                }
                Some(_) | None => Kept::nothing(),
            };
            erasure::set_kept(conn, org, id, &body, answer.as_deref())?;
        }
    }
    let touched = traces.kept.iter().map(|kept| kept.id).collect();
    erase_where_named(conn, org, customer, &touched)?;
    erasure::delete(conn, org, customer)
}

/// Takes the customer out of the deliveries that name them without having touched them: what failed,
/// was refused, changed nothing or was a dry run. Nothing leads to these, so all are read.
fn erase_where_named(
    conn: &mut Conn,
    org: Uuid,
    customer: Uuid,
    touched: &HashSet<Uuid>,
) -> Result<(), StoreError> {
    let Some(known) = erasure::known_by(conn, org, customer)? else { return Ok(()) };
    let code = known.code.to_string();
    let mut after = Uuid::nil();
    loop {
        let page = erasure::kept_after(conn, org, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for KeptDelivery { id, format, body, answer } in page {
            if touched.contains(&id) {
                continue;
            }
            let told = answer.as_deref().and_then(|answer| Answer::kept(answer).ok()?);
            let told = told.iter().flat_map(|answer| &answer.results);
            let told = told.filter(|result| result.tells_of(customer, &code));
            let mut items: BTreeSet<usize> =
                told.map(|result| format.item_of(result.index)).collect();
            let Some(named) = format.items_that(&body, |item| known.is_told_by(item)) else {
                // It is no payload: what there is of it goes where a word of it names them.
                let text = String::from_utf8_lossy(&body);
                let words =
                    text.split(|c: char| c.is_whitespace() || r#"",;:{}[]<>()=&"#.contains(c));
                if known.is_told_by(&words.collect()) {
                    erasure::set_kept(conn, org, id, &[], None)?;
                }
                continue;
            };
            items.extend(named);
            if !items.is_empty() {
                let Kept { body, answer } = redacted(format, &Kept { body, answer }, &items);
                erasure::set_kept(conn, org, id, &body, answer.as_deref())?;
            }
        }
    }
}

/// Of each first delivery the actions that were about the customer, wherever that is told; none where
/// that is told nowhere, or a request that the customer's history names does not tell.
fn actions_of(
    conn: &mut Conn,
    org: Uuid,
    Traces { requests, ids, kept }: &Traces,
) -> Result<HashMap<Uuid, Option<BTreeSet<usize>>>, StoreError> {
    let mut actions: HashMap<Uuid, Option<BTreeSet<usize>>> = HashMap::new();
    // A first delivery that has been forgotten by now tells nothing of its replays.
    let known: HashSet<Uuid> = kept.iter().map(|kept| kept.id).collect();
    actions.extend(requests.difference(&known).map(|gone| (*gone, None)));
    for chunk in kept.chunks(CHUNK) {
        for (id, answer) in erasure::answers(conn, org, chunk)? {
            let Some(kept) = chunk.iter().find(|kept| kept.id == id) else { continue };
            let found = answer.and_then(|answer| touched(&answer, ids)).unwrap_or_default();
            let all = actions.entry(kept.root).or_insert_with(|| Some(BTreeSet::new()));
            if requests.contains(&id) && found.is_empty() {
                *all = None;
            } else if let Some(all) = all {
                all.extend(found);
            }
        }
    }
    Ok(actions)
}

/// A delivery's body and answer.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    body: Vec<u8>,
    answer: Option<String>,
}

impl Kept {
    /// What stays where it cannot be told which actions are meant.
    const fn nothing() -> Self {
        Self { body: Vec::new(), answer: None }
    }
}

/// The actions whose results in an answer tell of one of these ids; nothing where the answer does
/// not say.
fn touched(answer: &str, ids: &HashSet<Uuid>) -> Option<BTreeSet<usize>> {
    let answer = Answer::kept(answer).ok()??;
    let told = answer.results.iter().filter(|result| result.names(ids));
    Some(told.map(|result| result.index).collect())
}

/// What may stay of a delivery when these of its items are forgotten: they lose their data, and
/// their results what they quote of it. A body that cannot be taken apart goes, and so does its
/// answer; an answer that cannot be read goes, too.
fn redacted(format: Format, kept: &Kept, items: &BTreeSet<usize>) -> Kept {
    let Some(body) = format.redacted(&kept.body, items) else { return Kept::nothing() };
    let answer = kept.answer.as_deref().and_then(|text| match Answer::kept(text) {
        Ok(Some(mut answer)) => {
            let is_of_them = |index| items.contains(&format.item_of(index));
            let is_theirs =
                |pointer: &str| format.item_at(pointer).is_some_and(|item| items.contains(&item));
            answer.forget(is_of_them, is_theirs);
            serde_json::to_string(&answer).ok()
        }
        // The problem of a request whose actions were not looked at quotes none of them.
        Ok(None) => Some(text.to_owned()),
        Err(_) => None,
    });
    Kept { body, answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const CUSTOMER: Uuid = Uuid::from_u128(7);

    fn kept(body: &Value, answer: Option<&Value>) -> Kept {
        Kept { body: body.to_string().into_bytes(), answer: answer.map(Value::to_string) }
    }

    fn body() -> Value {
        let action = |name: &str| json!({"actionType": "add-contact", "data": {"name": name}});
        json!({"senderUser": "a@b.c", "data": [action("Huy"), action("Lan"), action("Mai")]})
    }

    fn result(index: usize, id: Uuid, related_ids: &[Uuid]) -> Value {
        let related =
            |id| json!({"role": "company", "status": "linked", "model": "account", "id": id});
        let related: Vec<Value> = related_ids.iter().map(related).collect();
        json!({"index": index, "actionType": "add-contact", "status": "created",
            "record": {"model": "contact", "id": id, "code": null}, "related": related,
            "warnings": [quoting("")], "error": {"code": "required", "message": "Huy",
                "pointer": "/data/0", "errors": [quoting("/data/0")]}})
    }

    fn quoting(pointer: &str) -> Value {
        json!({"code": "required", "message": "Huy", "pointer": pointer})
    }

    fn answer(results: &[Value]) -> Value {
        json!({"requestId": CUSTOMER, "environment": "production", "dryRun": false,
            "warnings": [], "results": results, "summary": {"total": results.len(), "created": 0,
                "updated": 0, "unchanged": 0, "duplicate": 0, "queued": 0, "failed": 0}})
    }

    fn about_customer(answer: &Value) -> Option<BTreeSet<usize>> {
        touched(&answer.to_string(), &HashSet::from([CUSTOMER]))
    }

    fn erase(body: &Value, answer: Option<&Value>, actions: &[usize]) -> Kept {
        redacted(Format::Beeiq, &kept(body, answer), &actions.iter().copied().collect())
    }

    #[test]
    fn the_actions_that_touched_the_customer_lose_their_data_and_the_others_stay() {
        let other = Uuid::from_u128(1);
        let mut answer = answer(&[
            result(0, CUSTOMER, &[]),
            result(1, other, &[]),
            result(2, other, &[CUSTOMER]),
        ]);
        answer["errors"] = json!([quoting("/data/0/data/name"), quoting("/data/1/data/name")]);
        assert_eq!(about_customer(&answer), Some(BTreeSet::from([0, 2])));
        let left = erase(&body(), Some(&answer), &[0, 2]);
        let text = String::from_utf8(left.body).unwrap();
        assert!(text.contains("Lan") && !text.contains("Huy") && !text.contains("Mai"), "{text}");
        let answer: Value = serde_json::from_str(&left.answer.unwrap()).unwrap();
        let told = |index: usize| answer["results"][index].to_string().contains("Huy");
        assert_eq!([told(0), told(1), told(2)], [false, true, false]);
        assert_eq!(answer["errors"], json!([quoting("/data/1/data/name")]));
    }

    /// The answer of a replay has the results of what it ran alone, its body is the whole one.
    #[test]
    fn an_action_is_told_by_its_index_not_by_the_place_of_its_result() {
        let answer = answer(&[result(2, CUSTOMER, &[])]);
        assert_eq!(about_customer(&answer), Some(BTreeSet::from([2])));
        let left = erase(&body(), Some(&answer), &[2]);
        let text = String::from_utf8(left.body).unwrap();
        assert!(text.contains("Huy") && text.contains("Lan") && !text.contains("Mai"), "{text}");
        assert!(!left.answer.unwrap().contains("Huy"));
    }

    /// Where it failed there is no record that would tell of the customer, whom the message quotes.
    #[test]
    fn an_answer_that_does_not_tell_of_the_customer_forgets_the_action_all_the_same() {
        let mut failed = result(0, CUSTOMER, &[]);
        failed["status"] = json!("failed");
        failed["record"] = json!(null);
        let mut answer = answer(&[failed]);
        answer["detail"] = json!("Huy");
        assert_eq!(about_customer(&answer), Some(BTreeSet::new()));
        let one = json!({"data": [{"actionType": "add-contact", "data": {"name": "Huy"}}]});
        let left = erase(&one, Some(&answer), &[0]);
        assert!(!String::from_utf8(left.body).unwrap().contains("Huy"));
        assert!(!left.answer.unwrap().contains("Huy"));
        let unread = json!({"detail": "Nobody is ann@x.com.", "code": "unknown_sender"});
        assert_eq!(about_customer(&unread), None);
        assert_eq!(erase(&one, Some(&unread), &[0]).answer, Some(unread.to_string()));
    }

    #[test]
    fn where_the_actions_cannot_be_told_nothing_stays() {
        let mut no_index = answer(&[result(0, CUSTOMER, &[])]);
        no_index["results"][0].as_object_mut().unwrap().remove("index");
        assert_eq!(about_customer(&no_index), None);
        let too_few = json!({"senderUser": "a@b.c", "data": []});
        let no_data = json!({"senderUser": "a@b.c"});
        for body in [&too_few, &no_data, &json!("no object")] {
            assert_eq!(erase(body, None, &[0]), Kept::nothing(), "{body}");
        }
    }
}
