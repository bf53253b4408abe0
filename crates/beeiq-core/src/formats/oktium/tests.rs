use super::{items_that, redacted};
use crate::actions::testing::TestOrg;
use crate::formats::pulled::testing::places;
use crate::formats::{Draft, Format, Headers, Limits, Part, Told};
use crate::records::activity::ActivityKey;
use crate::records::connection::{OktiumSettings, OnMatch, SourceSettings};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CALL: &str = include_str!("../../../../../tests/it/heard_oktium/call.json");
const ORDER: &str = include_str!("../../../../../tests/it/heard_oktium/order.json");
const APPOINTMENT: &str = include_str!("../../../../../tests/it/heard_oktium/appointment.json");

fn drafts_with(headers: &[(&str, &str)], body: &str, settings: &OktiumSettings) -> Vec<Draft> {
    let headers: Headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let at = DateTime::<Utc>::UNIX_EPOCH;
    super::drafts(Told { body: body.as_bytes(), headers: &headers, at }, settings).unwrap()
}

fn drafts(body: &str) -> Vec<Draft> {
    drafts_with(&[], body, &OktiumSettings::default())
}

fn of(drafts: &[Draft], part: Part) -> Value {
    json!(drafts.iter().find(|draft| draft.part == part).unwrap().data.fields)
}

fn key(external_id: &str) -> ActivityKey {
    ActivityKey { source: "oktium".to_owned(), external_id: external_id.to_owned() }
}

#[test]
fn the_documented_call_is_a_contact_and_a_call_whose_last_ending_counts() {
    let drafts = drafts(CALL);
    assert_eq!(
        of(&drafts, Part::Contact),
        json!({
            "name": "Doe", "lastname": "John", "emails": [{"value": "customer@email.com"}],
            "phones": [{"value": "8009991111"}],
            "addresses": [{"street": "11 Strom st", "city": "New York", "state": "NY",
                "zip": "10001", "country": "US"}],
        })
    );
    assert_eq!(
        of(&drafts, Part::Activity),
        json!({
            "kind": "call", "startedAt": "2017-05-07T09:03:51.697Z",
            "endedAt": "2017-10-06T09:02:46.655Z", "outcome": "answered",
            "subject": "Mark Borghi Fine Art",
            "details": {
                "acceptedAt": "2017-10-06T09:02:16.619Z", "branchId": "586a307b9bd39307360d938d",
                "sellerId": "598197a48d40c8000fa907bd", "finishedBy": "59ce206a597241000f683c12",
                "totalSpending": 0,
            },
        })
    );
    assert_eq!(drafts[1].heard.activities, [key("call:590ee2f7195e9c5ad3d564da")]);
    let as_of: DateTime<Utc> = "2017-10-06T09:02:46.655Z".parse().unwrap();
    assert_eq!(drafts[0].heard.as_of, Some(as_of));
}

#[test]
fn the_documented_order_has_two_numbers_of_which_that_with_a_dial_code_comes_first() {
    let settings = OktiumSettings {
        stages: [("confirmed".to_owned(), "New".to_owned())].into(),
        default_stage: Some("Won".to_owned()),
        ..OktiumSettings::default()
    };
    let drafts = drafts_with(&[("x-oktium-event-key", "Call:ORDER")], ORDER, &settings);
    let contact = of(&drafts, Part::Contact);
    assert_eq!(contact["phones"], json!([{"value": "+18009991111"}, {"value": "25825825866"}]));
    assert_eq!((&contact["name"], &contact["lastname"]), (&json!("Terez"), &json!("Awesome")));
    assert_eq!(contact["addresses"][0]["street"], "35 5th Ave");
    assert_eq!(
        of(&drafts, Part::Deal),
        json!({
            "dealId": "oktium:CX-00000160", "name": "Order CX-00000160", "value": "55",
            "currency": "USD", "stage": "New",
            "description": "SuperStuff: 55\nShipping: 5\nVAT: 9 %\nTax-free: no",
        })
    );
    let deal = &drafts[1].heard;
    let linked = [key("order:59b665ed801997000f51be1b"), key("call:59b665a5ab57b3001cd6acee")];
    assert_eq!(
        (deal.activities.as_slice(), deal.new_deal_stage.as_deref()),
        (&linked[..], Some("Won"))
    );
    let activity = of(&drafts, Part::Activity);
    assert_eq!(activity["dealId"], "oktium:CX-00000160");
    assert_eq!(
        (&activity["outcome"], &activity["startedAt"]),
        (&json!("confirmed"), &json!("2017-09-11T10:31:09.766Z"))
    );
    assert_eq!(activity["details"]["callId"], "59b665a5ab57b3001cd6acee");
}

#[test]
fn the_documented_appointment_is_of_a_customer_of_whom_only_the_id_is_known() {
    let drafts = drafts(APPOINTMENT);
    assert_eq!(of(&drafts, Part::Contact), json!({}));
    let placeholder = Some("Oktium customer 59a6761d2a2b21000fb1f396");
    assert_eq!(drafts[0].heard.placeholder.as_deref(), placeholder);
    let appointment = of(&drafts, Part::Activity);
    assert_eq!(appointment["subject"], "Appointment");
    assert_eq!(appointment["details"]["sellerPhone"]["domesticNumber"], "8009991111");
}

#[test]
fn the_documented_events_are_decided_without_a_fault_or_a_warning() {
    for (body, actions) in [(CALL, 2), (ORDER, 3), (APPOINTMENT, 2)] {
        let org = TestOrg::new()
            .connected(SourceSettings::Oktium(OktiumSettings::default()), OnMatch::Fill);
        let headers = Headers::none();
        let told =
            Told { body: body.as_bytes(), headers: &headers, at: DateTime::<Utc>::UNIX_EPOCH };
        let limits = Limits { actions: 1, depth: 1 };
        let envelope = Format::Oktium.read(told, limits, org.context()).unwrap();
        let decided = org.decide_items(&envelope.items);
        assert_eq!(decided.len(), actions);
        for decision in decided {
            let warnings = decision.expect("it is applied").outcome.warnings;
            assert_eq!(places(&warnings), [], "{body}");
        }
    }
}

#[test]
fn an_event_is_what_its_key_says_or_what_it_has_in_it() {
    for (event, body, expected) in [
        ("call:order", json!({"customerId": "1", "incoming": "x"}), "order"),
        ("Appointment.Created", json!({"customerId": "1", "incoming": "x"}), "appointment"),
        ("CALL", json!({"customerId": "1", "orderNo": "1"}), "call"),
        ("", json!({"customerId": "1", "orderNo": "1", "incoming": "x"}), "order"),
        ("lunch", json!({"customerId": "1", "startDate": "x", "incoming": "x"}), "appointment"),
        ("", json!({"customerId": "1", "incoming": "x"}), "call"),
    ] {
        let headers = [("x-oktium-event-key", event)];
        let drafts = drafts_with(&headers, &body.to_string(), &OktiumSettings::default());
        assert_eq!(of(&drafts, Part::Activity)["kind"], expected, "{event} {body}");
    }
}

#[test]
fn what_is_no_event_or_nobodys_fails() {
    for (body, code) in [
        (json!({"menu": 1}), "unknown_event"),
        (json!({"incoming": "2017-05-07T09:03:51.697Z"}), "no_customer"),
        (json!({}), "required"),
    ] {
        let drafts = drafts(&body.to_string());
        assert_eq!(places(&drafts[0].diagnostics.faults), [(code, "")], "{body}");
    }
}

#[test]
fn a_call_that_ends_before_it_starts_has_no_end_and_one_without_an_id_is_known_by_its_body() {
    let call = json!({"customerId": "1", "incoming": "2017-05-07T09:00:00Z", "ending": "2016-01-01T00:00:00Z"});
    let drafts = drafts(&call.to_string());
    let told = of(&drafts, Part::Activity);
    assert_eq!((&told["endedAt"], &told["outcome"]), (&Value::Null, &json!("missed")));
    let known_by = &drafts[1].heard.activities[0].external_id;
    assert_eq!(known_by.len(), "call:".len() + 64, "{known_by}");
}

#[test]
fn who_has_no_id_is_known_by_the_number_of_the_appointment() {
    let told = json!({"startDate": "2017-09-06T08:58:17Z", "customerPhone": "+84905000001"});
    let drafts = drafts(&told.to_string());
    assert_eq!(of(&drafts, Part::Contact), json!({"phones": [{"value": "+84905000001"}]}));
    assert_eq!(drafts[0].heard.placeholder.as_deref(), Some("Oktium customer +84905000001"));
}

#[test]
fn an_event_is_found_by_whom_it_tells_of_and_taken_out_whole() {
    let is_theirs = |told: &Value| told["externalId"] == "oktium:5853bf13364ab36fca5333cf";
    assert_eq!(items_that(CALL.as_bytes(), is_theirs), Some(BTreeSet::from([0])));
    assert_eq!(items_that(ORDER.as_bytes(), is_theirs), Some(BTreeSet::new()));
    let left = redacted(CALL.as_bytes(), &BTreeSet::from([0])).unwrap();
    assert_eq!(left, b"{}");
    assert_eq!(items_that(&left, |_| true), Some(BTreeSet::from([0])));
    assert_eq!(redacted(b"no JSON", &BTreeSet::from([0])), None);
}
