use crate::actions::testing::{TestOrg, id};
use crate::batch::{Change, Decision, Message, Role, Status, Subject};
use crate::diagnostics::Code;
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use serde_json::{Value, json};
use std::sync::Arc;

fn send(org: &TestOrg, data: Value) -> Decision {
    org.decide("send-sms", data).expect("the action has no fault")
}

fn messages(decision: &Decision) -> Vec<&Message> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::MessageQueued(message) => Some(&**message),
            _ => None,
        })
        .collect()
}

fn recipients(decision: &Decision) -> Vec<&str> {
    messages(decision).into_iter().map(|message| message.recipient.as_str()).collect()
}

#[test]
fn a_message_is_queued_for_each_distinct_number_in_e164() {
    for (phones, expected) in [
        (json!(["0905000001"]), vec!["+84905000001"]),
        (json!([905000001, "0905 000 002"]), vec!["+84905000001", "+84905000002"]),
        (json!(["0905000001", "+84 905 000 001", ""]), vec!["+84905000001"]),
        (json!(["01234567890", "+84834567890"]), vec!["+84834567890"]),
    ] {
        let decision = send(&TestOrg::new(), json!({"content": "Hi", "phones": phones}));
        assert_eq!(recipients(&decision), expected, "{phones}");
        assert_eq!(decision.outcome.warnings, [], "{phones}");
    }
}

#[test]
fn the_answer_names_the_first_message_and_lists_all() {
    let data = json!({"content": "Hi", "phones": ["0905000001", "0905000002"]});
    let decision = send(&TestOrg::new(), data);
    let outcome = &decision.outcome;
    assert_eq!(outcome.status, Status::Queued);
    assert_eq!(
        (
            outcome.record.as_ref().unwrap().name.model().as_str(),
            outcome.record.as_ref().unwrap().name.code()
        ),
        ("sms", None)
    );
    let queued = messages(&decision);
    assert_eq!(outcome.record.as_ref().unwrap().id, queued[0].id);
    let related: Vec<_> = outcome.related.iter().map(|one| (one.role, one.record.id)).collect();
    assert_eq!(related, [(Role::Message, queued[0].id), (Role::Message, queued[1].id)]);
}

#[test]
fn a_number_that_no_sms_reaches_is_a_warning_and_the_others_are_queued() {
    let phones = json!(["0905000001", "12", "abc", "02438123456", {"value": "0905000002"}, true]);
    let decision = send(&TestOrg::new(), json!({"content": "Hi", "phones": phones}));
    assert_eq!(recipients(&decision), ["+84905000001"]);
    let warnings: Vec<_> =
        decision.outcome.warnings.iter().map(|w| (w.code, w.pointer.as_str())).collect();
    let expected = [1, 2, 3, 4, 5].map(|index| format!("/data/0/data/phones/{index}"));
    assert_eq!(warnings, expected.each_ref().map(|at| (Code::InvalidPhone, at.as_str())));
}

#[test]
fn without_one_good_number_it_has_failed() {
    let data = json!({"content": "Hi", "phones": ["12", "abc"]});
    let at = |index| ("invalid_phone".to_owned(), format!("/data/0/data/phones/{index}"));
    assert_eq!(TestOrg::new().faults("send-sms", data), [at(0), at(1)]);
}

#[test]
fn content_and_phones_are_required_and_every_fault_is_told() {
    let long = "x".repeat(1601);
    for (data, expected) in [
        (json!({}), vec![("required", "/content"), ("required", "/phones")]),
        (
            json!({"content": " ", "phones": [""]}),
            vec![("required", "/content"), ("required", "/phones")],
        ),
        (json!({"content": "Hi", "phones": "0905000001"}), vec![("wrong_type", "/phones")]),
        (
            json!({"content": long, "phones": ["1"]}),
            vec![("too_long", "/content"), ("invalid_phone", "/phones/0")],
        ),
    ] {
        let faults = TestOrg::new().faults("send-sms", data.clone());
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(code, at)| (code.to_owned(), format!("/data/0/data{at}")))
            .collect();
        assert_eq!(faults, expected, "{data}");
    }
}

#[test]
fn it_has_five_thousand_numbers_at_most_and_keeps_its_text_once() {
    let numbers =
        |count: usize| -> Vec<String> { (0..count).map(|n| format!("0905{n:06}")).collect() };
    let mut org = TestOrg::new();
    org.directory.has_sms_account = true;
    let data = |count| json!({"content": "Hi", "phones": numbers(count)});
    let decision = send(&org, data(5_000));
    let messages = messages(&decision);
    assert_eq!(messages.len(), 5_000);
    assert!(messages.iter().all(|it| Arc::ptr_eq(&it.wording, &messages[0].wording)));
    let at = "/data/0/data/phones".to_owned();
    assert_eq!(org.faults("send-sms", data(5_001)), [("too_long".to_owned(), at)]);
}

#[test]
fn a_message_costs_a_credit_a_segment_and_too_few_for_all_queue_none() {
    let two_segments = "x".repeat(161);
    let data = json!({"content": two_segments, "phones": ["0905000001", "0905000002"]});
    let enough = TestOrg::new().with_sms_credits(4);
    let taken: u32 = messages(&send(&enough, data.clone()))
        .into_iter()
        .filter_map(|message| message.segments)
        .sum();
    assert_eq!(taken, 4);
    let too_few = TestOrg::new().with_sms_credits(3);
    let faults = too_few.faults("send-sms", data);
    assert_eq!(faults, [("sms_credits_exhausted".to_owned(), "/data/0/data".to_owned())]);
}

#[test]
fn an_org_with_an_sms_account_of_its_own_needs_no_credits() {
    let mut org = TestOrg::new().with_sms_credits(0);
    org.directory.has_sms_account = true;
    let data = json!({"content": "Hi", "phones": ["0905000001", "0905000002"]});
    assert_eq!(messages(&send(&org, data)).len(), 2);
}

#[test]
fn later_actions_of_the_batch_have_the_credits_that_earlier_ones_left() {
    let org = TestOrg::new().with_sms_credits(2);
    let action = ("send-sms", json!({"content": "Hi", "phones": ["0905000001"]}));
    let decided = org.decide_all(&[action.clone(), action.clone(), action]);
    let failed: Vec<bool> = decided.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true]);
}

#[test]
fn the_customer_and_the_lead_that_hold_the_number_get_a_line() {
    let held_in = |world| Identity::new(world, IdentityKind::Phone, "+84905000001");
    let org = TestOrg::new().holding("PID-1", "A", &[held_in(World::Customer)]).holding(
        "LID-2",
        "B",
        &[held_in(World::Lead)],
    );
    let decision = send(&org, json!({"content": "secret", "phones": ["0905000001", "0905000002"]}));
    let message = messages(&decision)[0];
    assert_eq!((message.customer, message.lead), (Some(id(101)), Some(id(302))));
    let lines: Vec<_> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::HistoryAdded(line) => Some(line),
            _ => None,
        })
        .collect();
    let subjects: Vec<_> = lines.iter().map(|line| (line.subject, line.event.kind())).collect();
    let queued = HistoryKind::SmsQueued;
    assert_eq!(
        subjects,
        [(Subject::Customer(id(101)), queued), (Subject::Customer(id(302)), queued)]
    );
    assert_eq!(
        lines[0].event.details(),
        json!({"messageId": message.id, "to": "+84905000001", "captured": true, "segments": 1})
    );
}

#[test]
fn somebody_made_earlier_in_the_batch_gets_the_line() {
    let decided = TestOrg::new().decide_all(&[
        ("add-contact", json!({"name": "Ann", "phones": [{"value": "0905000001"}]})),
        ("send-sms", json!({"content": "Hi", "phones": ["0905000001"]})),
    ]);
    let made = decided[0].as_ref().unwrap().outcome.record.as_ref().unwrap().id;
    assert_eq!(messages(decided[1].as_ref().unwrap())[0].customer, Some(made));
}
