use super::*;
use crate::batch::{Change, Decision, Rejection, Status};
use crate::formats::pulled::testing::{data, decided, document, draft, faults, places, told};
use crate::formats::{Heard, Whose};
use crate::records::activity::{ActivityKey, Operator};
use crate::records::connection::SourceSettings;

mod conversations;
mod others;

/// What was looked up: a website, an operator, tags, a skill, and visitors.
fn lookups() -> Value {
    json!({
        "website": {"1": {"id": 1, "timezone": "Europe/Paris", "currency": "USD"}, "2": {"id": 2}},
        "operator": {
            "7": {"id": 7, "email": "bob@acme.test", "name": "Bob"}, "8": {"id": 8, "name": "Eve"},
        },
        "tag": {
            "3": {"name": "Complaint"}, "4": {"name": "Price, delivery"}, "5": {"name": " "},
            "6": {"name": "x".repeat(300)},
        },
        "skill": {"9": {"name": "Sales"}},
        "visitor": {
            "u1": {
                "id": 560, "unique_id": "u1", "external_id": "C-77", "firstname": "Ann", "lastname": "Lee",
                "address": "1 Main St", "city": "Nantes", "zip": "44000", "country": "France",
                "phone": "+33614037735", "email": "ann@x.com", "browser": "Firefox", "website_id": [1],
                "created_at": "2016-02-16 11:24:00",
            },
            "u2": {"unique_id": "u2", "external_id": "", "firstname": " ", "lastname": "Doe"},
            "u3": null,
        },
    })
}

fn read(resource: &str, item: Value) -> Vec<Draft> {
    read_with(&IadvizeSettings::default(), resource, &[item])
}

fn read_with(settings: &IadvizeSettings, resource: &str, items: &[Value]) -> Vec<Draft> {
    let body = document(resource, items, &lookups());
    drafts(told(&body), settings, Region::parse("VN").unwrap()).unwrap()
}

fn decide(resource: &str, items: &[Value]) -> Vec<Result<Decision, Rejection>> {
    let settings = SourceSettings::Iadvize(IadvizeSettings::default());
    decided(settings, &document(resource, items, &lookups()))
}

/// The item with other values in some of its fields.
fn with(mut item: Value, changes: &Value) -> Value {
    for (field, value) in changes.as_object().unwrap() {
        item[field] = value.clone();
    }
    item
}

fn key(external_id: &str) -> ActivityKey {
    ActivityKey { source: "iadvize".to_owned(), external_id: external_id.to_owned() }
}

fn external(id: &str) -> Whose {
    Whose::External(id.to_owned())
}

fn parts(drafts: &[Draft]) -> Vec<(usize, Part)> {
    drafts.iter().map(|draft| (draft.item, draft.part)).collect()
}

fn failure(drafts: &[Draft]) -> (&str, &str) {
    let [failed] = drafts else { panic!("{drafts:#?}") };
    places(&failed.diagnostics.faults)[0]
}

fn statuses(decided: &[Result<Decision, Rejection>]) -> Vec<Status> {
    decided.iter().map(|it| it.as_ref().expect("it is applied").outcome.status).collect()
}

#[test]
fn a_document_of_no_resource_of_iadvize_is_refused() {
    let body = document("operators", &[], &json!({}));
    let settings = IadvizeSettings::default();
    let refusal = drafts(told(&body), &settings, Region::parse("VN").unwrap()).unwrap_err();
    assert_eq!(refusal.code, Code::InvalidEnvelope);
    assert!(refusal.detail.contains("\"conversations\""), "{}", refusal.detail);
}

#[test]
fn an_item_that_was_redacted_fails_in_its_place_in_every_resource() {
    for resource in IadvizeResource::ALL {
        let items = [json!({}), json!({})];
        let body = document(resource.as_str(), &items, &json!({}));
        let decided = decided(SourceSettings::Iadvize(IadvizeSettings::default()), &body);
        assert_eq!(faults(&decided), [("required", "/items/0"), ("required", "/items/1")]);
    }
}

#[test]
fn whatever_stands_in_an_item_is_read_without_a_panic() {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(-1.5e300),
        json!(true),
        json!("\u{0}é🙂"),
        json!([[1], {"a": []}]),
        json!("9".repeat(400)),
    ];
    let fields = [
        "id",
        "external_id",
        "visitor_uid",
        "conversation_id",
        "history",
        "created_at",
        "closed_at",
        "tag_list",
        "website_id",
        "amount",
        "visitor_email",
        "phone_number",
        "status",
        "start_at",
        "channel",
        "operator_answer",
        "node_delay",
        "comment",
    ];
    for resource in IadvizeResource::ALL {
        let full = json!({"id": 1, "visitor_uid": "u1", "conversation_id": 2, "amount": 1});
        let items: Vec<Value> = fields
            .iter()
            .flat_map(|field| odd.iter().map(|value| with(full.clone(), &json!({*field: value}))))
            .collect();
        let _ = decide(resource.as_str(), &items);
    }
}

#[test]
fn an_item_is_asked_for_with_its_visitor_and_their_ids() {
    let items = [json!({"id": 1, "visitor_uid": "u1"}), json!({"id": 2, "visitor_uid": "u2"})];
    let body = document("conversations", &items, &lookups());
    let of = |is_so: fn(&Value) -> bool| items_that(&body, is_so).unwrap();
    assert_eq!(of(|told| told["contactId"] == "C-77"), BTreeSet::from([0]));
    assert_eq!(of(|told| told["externalId"] == "iadvize:u2"), BTreeSet::from([1]));
    assert_eq!(of(|told| told["visitor"]["email"] == "ann@x.com"), BTreeSet::from([0]));
    let redacted = redacted(&body, &BTreeSet::from([0])).unwrap();
    let left = String::from_utf8(redacted.clone()).unwrap();
    assert!(!left.contains("ann@x.com") && left.contains("Doe"), "{left}");
    assert_eq!(items_that(&redacted, |_| true), Some(BTreeSet::from([0, 1])));
}
