use super::item;
use crate::actions::testing::{TestOrg, id, record};
use crate::batch::{Change, Decision, Rejection, Status};
use crate::diagnostics::Pointer;
use crate::formats::{Draft, Part, Whose};
use crate::records::activity::{Activity, ActivityKey};
use crate::records::connection::{OktiumSettings, OnMatch, SourceSettings};
use crate::records::customer::{ContactType, Customer, EmailEntry, PhoneEntry};
use crate::records::deal::Deal;
use crate::records::identity::{Identity, IdentityKind, World};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

fn org(on_match: OnMatch) -> TestOrg {
    TestOrg::new().connected(SourceSettings::Oktium(OktiumSettings::default()), on_match)
}

fn at() -> Pointer {
    Pointer::root().member("items").index(3)
}

fn draft(part: Part, data: &Value) -> Draft {
    let mut draft = Draft::new(3, &at(), part);
    for (field, value) in data.as_object().unwrap() {
        draft.data.put(field, value.clone(), &at().member("told").member(field));
    }
    draft
}

/// A contact whom the source calls 77.
fn contact(data: &Value) -> Draft {
    let mut draft = draft(Part::Contact, data);
    draft.heard.whose = vec![Whose::External("77".to_owned())];
    draft.heard.placeholder = Some("Oktium customer 77".to_owned());
    draft
}

fn key(external_id: &str) -> ActivityKey {
    ActivityKey { source: "oktium".to_owned(), external_id: external_id.to_owned() }
}

fn call(hour: u32, data: &Value) -> Draft {
    let mut draft = draft(Part::Activity, data);
    draft.heard.whose = vec![Whose::External("77".to_owned())];
    draft.heard.activities = vec![key("call:1")];
    draft.heard.as_of = Some(time(hour));
    draft
}

fn deal(data: &Value) -> Draft {
    let mut draft = draft(Part::Deal, data);
    draft.heard.whose = vec![Whose::External("77".to_owned())];
    draft.heard.activities = vec![key("call:1")];
    draft
}

fn time(hour: u32) -> DateTime<Utc> {
    format!("2026-01-31T{hour:02}:00:00Z").parse().unwrap()
}

fn decide(org: &TestOrg, drafts: Vec<Draft>) -> Vec<Result<Decision, Rejection>> {
    let items: Vec<_> = drafts.into_iter().map(|draft| item(draft, org.context())).collect();
    org.decide_items(&items)
}

fn last(org: &TestOrg, drafts: Vec<Draft>) -> Decision {
    decide(org, drafts).pop().unwrap().expect("the action is applied")
}

fn faults(org: &TestOrg, drafts: Vec<Draft>) -> Vec<(String, String)> {
    let rejection = decide(org, drafts).pop().unwrap().expect_err("the action has faults");
    let told = |fault: crate::diagnostics::Fault| (fault.code.as_str().to_owned(), fault.pointer);
    rejection.faults.into_iter().map(told).collect()
}

fn warnings(decision: &Decision) -> Vec<(&str, &str)> {
    decision.outcome.warnings.iter().map(|it| (it.code.as_str(), it.pointer.as_str())).collect()
}

fn customer(decision: &Decision) -> Option<&Customer> {
    decision.changes.iter().find_map(|change| match change {
        Change::CustomerCreated(it) | Change::CustomerChanged(it) => Some(&**it),
        _ => None,
    })
}

fn activity(decision: &Decision) -> Option<&Activity> {
    decision.changes.iter().find_map(|change| match change {
        Change::ActivityAdded(it) | Change::ActivityChanged(it) => Some(&**it),
        _ => None,
    })
}

fn deal_of(decision: &Decision) -> Option<&Deal> {
    decision.changes.iter().find_map(|change| match change {
        Change::DealCreated { deal, .. } | Change::DealChanged(deal) => Some(&**deal),
        _ => None,
    })
}

fn claimed(decision: &Decision) -> Vec<(IdentityKind, &str)> {
    let claims = decision.changes.iter().filter_map(|change| match change {
        Change::IdentityClaimed(claim) => Some(&claim.identity),
        _ => None,
    });
    claims.map(|identity| (identity.kind, identity.value.as_str())).collect()
}

fn ann() -> Customer {
    let email = |value: &str| EmailEntry { r#type: ContactType::Work, value: value.to_owned() };
    Customer { emails: vec![email("ann@x.com")], ..record("PID-1", "Ann") }
}

const ID: (IdentityKind, &str) = (IdentityKind::External, "oktium:77");

#[test]
fn somebody_new_is_made_and_known_by_the_id_that_the_source_has_for_them() {
    let made = last(
        &org(OnMatch::Fill),
        vec![contact(&json!({"name": "Ann", "emails": [{"value": "ann@x.com"}]}))],
    );
    assert_eq!(made.outcome.status, Status::Created);
    assert_eq!(customer(&made).unwrap().name, "Ann");
    assert_eq!(claimed(&made), [(IdentityKind::Email, "ann@x.com"), ID]);
    let again = last(
        &org(OnMatch::Fill),
        vec![contact(&json!({"name": "Ann"})), contact(&json!({"name": "Ann"}))],
    );
    assert_eq!((again.outcome.status, again.changes), (Status::Unchanged, Vec::new()));
}

#[test]
fn who_has_no_name_gets_a_placeholder_which_gives_way_to_a_real_one() {
    let org = org(OnMatch::Fill);
    let unnamed = last(&org, vec![contact(&json!({}))]);
    assert_eq!(customer(&unnamed).unwrap().name, "Oktium customer 77");
    let named = last(&org, vec![contact(&json!({})), contact(&json!({"name": "Ann"}))]);
    assert_eq!(customer(&named).unwrap().name, "Ann");
    let other =
        [contact(&json!({})), contact(&json!({"name": "Ann"})), contact(&json!({"name": "Eve"}))];
    assert_eq!(customer(&last(&org, other.to_vec())), None);
}

#[test]
fn who_is_there_already_is_filled_in_changed_or_left_as_the_connection_says() {
    let told = json!({"name": "Anna", "title": "Dr", "emails": [{"value": "ann@x.com"}, {"value": "a@y.com"}]});
    for (on_match, name, title, emails) in
        [(OnMatch::Fill, "Ann", Some("Dr"), 2), (OnMatch::Update, "Anna", Some("Dr"), 2)]
    {
        let org = org(on_match).keeping(ann());
        let decision = last(&org, vec![contact(&told)]);
        assert_eq!(decision.outcome.status, Status::Updated, "{on_match}");
        let changed = customer(&decision).unwrap();
        let shown = (changed.name.as_str(), changed.title.as_deref(), changed.emails.len());
        assert_eq!(shown, (name, title, emails), "{on_match}");
        assert_eq!(changed.emails[0].r#type, ContactType::Work, "{on_match}");
        assert_eq!(claimed(&decision), [(IdentityKind::Email, "a@y.com"), ID], "{on_match}");
    }
    let left = last(&org(OnMatch::Skip).keeping(ann()), vec![contact(&told)]);
    assert_eq!(
        (left.outcome.status, customer(&left), claimed(&left)),
        (Status::Unchanged, None, vec![ID])
    );
}

#[test]
fn what_a_person_entered_is_not_filled_over() {
    let titled = Customer {
        title: Some("Prof".to_owned()),
        lastname: Some("Lee".to_owned()),
        passport: Some("B1".to_owned()),
        gender: 0,
        ..ann()
    };
    let told = json!({
        "name": "Eve", "lastname": "Doe", "title": "Dr", "passport": "C2", "gender": 1,
        "emails": [{"value": "ann@x.com"}],
    });
    let decision = last(&org(OnMatch::Fill).keeping(titled), vec![contact(&told)]);
    assert_eq!((decision.outcome.status, customer(&decision)), (Status::Unchanged, None));
    assert_eq!(claimed(&decision), [ID], "the passport of the record still identifies");
}

#[test]
fn where_identifiers_find_several_the_first_decides_and_the_others_are_shared() {
    let phone = PhoneEntry {
        r#type: ContactType::Other,
        value: "+84905000002".to_owned(),
        e164: Some("+84905000002".to_owned()),
    };
    let bob = Customer { phones: vec![phone], ..record("PID-2", "Bob") };
    for on_match in [OnMatch::Fill, OnMatch::Update] {
        let org = org(on_match).keeping(ann()).keeping(bob.clone());
        let told = json!({"emails": [{"value": "ann@x.com"}], "phones": [{"value": "0905000002"}]});
        let decision = last(&org, vec![contact(&told)]);
        let changed = customer(&decision).unwrap();
        assert_eq!((changed.id, changed.phones.len()), (ann().id, 1), "{on_match}");
        assert_eq!(claimed(&decision), [ID], "{on_match}");
        assert_eq!(
            warnings(&decision),
            [("identifier_shared", "/items/3/told/phones")],
            "{on_match}"
        );
    }
}

#[test]
fn the_id_that_the_source_has_comes_before_all_other_identifiers() {
    let known = Identity::new(World::Customer, ID.0, ID.1);
    let bob = record("PID-2", "Bob");
    let mut org = org(OnMatch::Fill).keeping(ann()).keeping(bob.clone());
    org.snapshot.customers.holders.push((known, bob.id));
    let decision = last(&org, vec![contact(&json!({"emails": [{"value": "ann@x.com"}]}))]);
    assert_eq!(customer(&decision).unwrap().id, bob.id);
}

#[test]
fn what_of_a_contact_cannot_be_used_is_odd_and_the_rest_is_kept() {
    let told = json!({"name": "Ann", "emails": [{"value": "nonsense"}], "phones": [{"value": "0905000001"}]});
    let decision = last(&org(OnMatch::Fill), vec![contact(&told)]);
    assert_eq!(customer(&decision).unwrap().phones.len(), 1);
    assert_eq!(warnings(&decision), [("invalid_email", "/items/3/told/emails")]);
}

#[test]
fn an_activity_is_with_whom_the_source_says_and_fails_alone_where_nobody_is() {
    let told = json!({"kind": "call", "startedAt": "2026-01-31T08:00:00Z"});
    let org = org(OnMatch::Fill);
    let decision = last(&org, vec![contact(&json!({})), call(8, &told)]);
    let made = activity(&decision).unwrap();
    assert_eq!(made.key(), Some(key("call:1")));
    assert_eq!((made.customer, made.as_of), (id(1002 - 1), Some(time(8))));
    let expected = [("not_found".to_owned(), "/items/3".to_owned())];
    assert_eq!(faults(&org, vec![call(8, &told)]), expected);
}

#[test]
fn an_older_telling_fills_gaps_and_changes_nothing_else() {
    let newer = json!({"kind": "call", "startedAt": "2026-01-31T08:00:00Z", "outcome": "paid",
        "details": {"a": 1}});
    let older = json!({"kind": "order", "startedAt": "2026-01-30T08:00:00Z", "outcome": "new",
        "subject": "Shop", "details": {"a": 2, "b": 3}});
    for (second, outcome, details) in [
        (9, "new", json!({"a": 2, "b": 3})),
        (8, "new", json!({"a": 2, "b": 3})),
        (7, "paid", json!({"a": 1, "b": 3})),
    ] {
        let drafts = vec![contact(&json!({})), call(8, &newer), call(second, &older)];
        let decision = last(&org(OnMatch::Fill), drafts);
        let changed = activity(&decision).unwrap();
        let shown = (changed.outcome.as_deref(), json!(changed.details));
        assert_eq!(shown, (Some(outcome), details), "{second}");
        assert_eq!(changed.subject.as_deref(), Some("Shop"), "{second}");
        assert_eq!(changed.as_of, Some(time(second.max(8))), "{second}");
    }
}

#[test]
fn an_older_telling_of_a_contact_fills_in_where_a_newer_one_would_change() {
    let told = json!({"kind": "call", "startedAt": "2026-01-31T08:00:00Z"});
    let again = |hour| {
        let mut again = contact(&json!({"name": "Eve"}));
        again.heard.as_of = Some(time(hour));
        again.heard.activities = vec![key("call:1")];
        last(&org(OnMatch::Update), vec![contact(&json!({"name": "Ann"})), call(8, &told), again])
    };
    assert_eq!(customer(&again(7)), None);
    assert_eq!(customer(&again(9)).unwrap().name, "Eve");
}

#[test]
fn a_deal_starts_in_its_own_stage_or_the_connections_or_the_orgs_first() {
    let org = org(OnMatch::Fill);
    let stage = |own: Option<&str>, of_connection: Option<&str>| {
        let mut draft = deal(&json!({"dealId": "oktium:1", "name": "Order 1", "value": "1.50"}));
        draft.heard.new_deal_stage = of_connection.map(str::to_owned);
        if let Some(own) = own {
            draft.data.put("stage", own, &at().member("status"));
        }
        vec![contact(&json!({})), draft]
    };
    for (own, of_connection, expected) in [
        (Some("Won"), None, 62),
        (None, Some("Won"), 62),
        (None, None, 61),
        (Some("New"), Some("Won"), 61),
    ] {
        let decision = last(&org, stage(own, of_connection));
        let made = deal_of(&decision).unwrap();
        assert_eq!((made.stage, made.deal_with), (id(expected), Some(id(1001))));
    }
    let unknown = faults(&org, stage(None, Some("Lost")));
    assert_eq!(unknown, [("unknown_stage".to_owned(), "/items/3".to_owned())]);
    let unknown = faults(&org, stage(Some("Lost"), None));
    assert_eq!(unknown, [("unknown_stage".to_owned(), "/items/3/status".to_owned())]);
}

#[test]
fn an_activity_that_is_known_gets_the_deal_that_came_of_it() {
    let told = json!({"kind": "call", "startedAt": "2026-01-31T08:00:00Z"});
    let sold = deal(&json!({"dealId": "oktium:1", "name": "Order 1"}));
    let drafts = vec![contact(&json!({})), call(8, &told), sold.clone()];
    let decision = last(&org(OnMatch::Fill), drafts.clone());
    let made = deal_of(&decision).unwrap().id;
    assert_eq!(activity(&decision).unwrap().deal, Some(made));
    let again = last(&org(OnMatch::Fill), [drafts, vec![sold]].concat());
    assert_eq!((again.outcome.status, again.changes), (Status::Unchanged, Vec::new()));
}

#[test]
fn a_ticket_is_opened_once_for_an_activity() {
    let told = json!({"kind": "callback", "startedAt": "2026-01-31T08:00:00Z"});
    let ticket = call(8, &json!({"body": "Call back"}));
    let ticket = Draft { part: Part::Ticket, ..ticket };
    let once = vec![contact(&json!({})), call(8, &told), ticket.clone()];
    let decision = last(&org(OnMatch::Fill), once.clone());
    assert_eq!(decision.outcome.status, Status::Created);
    let code = decision.outcome.record.as_ref().and_then(|record| record.name.code());
    assert_eq!(activity(&decision).unwrap().details["ticket"], json!(code));
    let again = last(&org(OnMatch::Fill), [once, vec![ticket]].concat());
    assert_eq!((again.outcome.status, again.changes), (Status::Unchanged, Vec::new()));
}

#[test]
fn only_customers_whom_the_connection_welcomes_are_welcomed() {
    let told = json!({"name": "Ann", "emails": [{"value": "ann@x.com"}]});
    for welcome in [false, true] {
        let mut org = org(OnMatch::Fill).welcoming();
        org.connection.as_mut().unwrap().welcome = welcome;
        let decision = last(&org, vec![contact(&told)]);
        let queued = decision.changes.iter().any(|it| matches!(it, Change::MessageQueued(_)));
        assert_eq!(queued, welcome);
    }
}
