use crate::actions::testing::{TestOrg, id};
use crate::batch::{Change, Decision, HistoryLine, KnownDeal, Rejection, Status, Subject};
use crate::records::activity::{Activity, ActivityKind, Operator};
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use serde_json::{Value, json};

/// PID-1 with an e-mail, PID-2 with a phone, LID-1, and the deal D-1.
fn org() -> TestOrg {
    let of = |world, kind, value| [Identity::new(world, kind, value)];
    let mut org = TestOrg::new()
        .holding("PID-1", "One", &of(World::Customer, IdentityKind::Email, "one@x.com"))
        .holding("PID-2", "Two", &of(World::Customer, IdentityKind::Phone, "+84905000002"))
        .holding("LID-1", "Lead", &of(World::Lead, IdentityKind::Email, "one@x.com"));
    org.snapshot.deals.known.push(KnownDeal {
        id: id(900),
        deal_id: "D-1".to_owned(),
        name_key: "order".to_owned(),
        deal_with: None,
    });
    org
}

fn call(fields: &Value) -> Value {
    let mut call = json!({
        "kind": "call", "source": "pbx", "externalId": "7", "startedAt": "2026-01-31T08:00:00Z",
        "email": "one@x.com",
    });
    call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    call
}

fn written(decision: &Decision) -> &Activity {
    let found = decision.changes.iter().find_map(|change| match change {
        Change::ActivityAdded(activity) | Change::ActivityChanged(activity) => Some(&**activity),
        _ => None,
    });
    found.expect("an activity is written")
}

fn lines(decision: &Decision) -> Vec<(Subject, HistoryKind)> {
    let line = |change: &Change| match change {
        Change::HistoryAdded(HistoryLine { id: _, subject, event }) => {
            Some((*subject, event.kind()))
        }
        _ => None,
    };
    decision.changes.iter().filter_map(line).collect()
}

fn twice(first: Value, second: Value) -> Result<Decision, Rejection> {
    org().decide_all(&[("add-activity", first), ("add-activity", second)]).pop().unwrap()
}

fn warned(decision: &Decision) -> Vec<(&str, &str)> {
    decision.outcome.warnings.iter().map(|it| (it.code.as_str(), it.pointer.as_str())).collect()
}

#[test]
fn an_activity_is_kept_as_it_was_told() {
    let decision = org()
        .decide(
            "add-activity",
            call(&json!({
                "endedAt": 1_769_846_700_000_i64, "outcome": "answered", "subject": "Shop",
                "body": "Hello", "operator": "Bob@acme.test", "details": {"queue": {"no": 1.50}, "x": null},
                "dealId": "D-1", "permit": {"status": 2},
            })),
        )
        .unwrap();
    assert_eq!(decision.outcome.status, Status::Created);
    let activity = written(&decision);
    assert_eq!(activity.kind, ActivityKind::Call);
    assert_eq!((activity.source.as_str(), activity.external_id.as_deref()), ("pbx", Some("7")));
    assert_eq!(activity.started_at.to_rfc3339(), "2026-01-31T08:00:00+00:00");
    assert_eq!(activity.ended_at.unwrap().to_rfc3339(), "2026-01-31T08:05:00+00:00");
    assert_eq!(activity.operator, Some(Operator::User(id(12))));
    assert_eq!(Value::Object(activity.details.clone()), json!({"queue": {"no": 1.50}}));
    assert_eq!((activity.customer, activity.deal), (id(101), Some(id(900))));
    assert_eq!((&activity.permit, activity.owner), (&Permit::OnlyMe, id(11)));
    let added = HistoryKind::ActivityAdded;
    assert_eq!(
        lines(&decision),
        [(Subject::Customer(id(101)), added), (Subject::Deal(id(900)), added)]
    );
}

#[test]
fn without_a_source_it_is_the_listeners() {
    let data = json!({"kind": "other", "startedAt": "2026-01-31", "phone": "0905000002"});
    let decision = org().decide("add-activity", data).unwrap();
    let activity = written(&decision);
    assert_eq!((activity.source.as_str(), &activity.external_id), ("listener", &None));
    assert_eq!(activity.customer, id(102));
}

#[test]
fn an_operator_who_is_no_user_is_kept_as_text() {
    for (sent, kept) in [
        ("gone@acme.test", Operator::User(id(13))),
        ("agent@elsewhere.test", Operator::Named("agent@elsewhere.test".to_owned())),
        ("Desk 4", Operator::Named("Desk 4".to_owned())),
    ] {
        let decision = org().decide("add-activity", call(&json!({"operator": sent}))).unwrap();
        assert_eq!(written(&decision).operator, Some(kept), "{sent}");
    }
}

#[test]
fn heard_again_the_fields_given_are_written_over_it() {
    let again = json!({
        "source": "pbx", "externalId": "7", "outcome": "missed", "endedAt": "2026-01-31T08:01:00Z",
        "details": {"a": null, "c": 3},
    });
    let first = call(&json!({"subject": "Shop", "details": {"a": 1, "b": 2}}));
    let decision = twice(first, again).unwrap();
    assert_eq!(decision.outcome.status, Status::Updated);
    let activity = written(&decision);
    assert_eq!(activity.subject.as_deref(), Some("Shop"));
    assert_eq!(activity.outcome.as_deref(), Some("missed"));
    assert_eq!(Value::Object(activity.details.clone()), json!({"b": 2, "c": 3}));
    assert_eq!(lines(&decision), [(Subject::Customer(id(101)), HistoryKind::ActivityUpdated)]);
}

#[test]
fn heard_again_with_nothing_new_it_is_unchanged() {
    let decision = twice(call(&json!({"details": {"a": 1}})), call(&json!({"details": {"a": 1}})));
    let decision = decision.unwrap();
    assert_eq!(decision.outcome.status, Status::Unchanged);
    assert!(decision.changes.is_empty());
}

#[test]
fn the_same_id_of_another_source_is_another_activity() {
    let decision = twice(call(&json!({})), call(&json!({"source": "chat"}))).unwrap();
    assert_eq!(decision.outcome.status, Status::Created);
}

#[test]
fn heard_again_it_stays_with_its_customer() {
    for other in [json!({"email": "", "phone": "0905000002"}), json!({"email": "nobody@x.com"})] {
        let decision = twice(call(&json!({})), call(&other)).unwrap();
        assert_eq!(warned(&decision), [("customer_kept", "/data/1/data")]);
        assert_eq!(decision.outcome.status, Status::Unchanged);
    }
}

#[test]
fn a_deal_that_is_not_there_keeps_nothing_back() {
    let decision = org().decide("add-activity", call(&json!({"dealId": "D-9"}))).unwrap();
    assert_eq!(warned(&decision), [("unknown_deal", "/data/0/data/dealId")]);
    assert_eq!(written(&decision).deal, None);
}

#[test]
fn a_lead_is_meant_where_the_contact_type_says_so() {
    let decision = org().decide("add-activity", call(&json!({"contactType": "lead"}))).unwrap();
    assert_eq!(written(&decision).customer, id(301));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let deep = (0..9).fold(json!(1), |inner, _| json!({"in": inner}));
    for (change, code, place) in [
        (json!({"kind": ""}), "required", "/kind"),
        (json!({"kind": "fax"}), "invalid_choice", "/kind"),
        (json!({"startedAt": null}), "required", "/startedAt"),
        (json!({"startedAt": "soon"}), "invalid_date", "/startedAt"),
        (json!({"endedAt": "2026-01-31T07:59:59Z"}), "out_of_range", "/endedAt"),
        (json!({"source": "x".repeat(65)}), "too_long", "/source"),
        (json!({"externalId": "x".repeat(256)}), "too_long", "/externalId"),
        (json!({"details": [1]}), "wrong_type", "/details"),
        (json!({"details": {"a": "x".repeat(16 * 1024)}}), "too_long", "/details"),
        (json!({"details": {"a": ["\0"]}}), "nul_character", "/details/a/0"),
        (json!({"details": deep}), "out_of_range", "/details/in/in/in/in/in/in/in/in"),
        (json!({"email": "nobody@x.com"}), "not_found", ""),
        (json!({"customerId": "PID-77"}), "not_found", "/customerId"),
        (json!({"email": ""}), "not_found", "/externalId"),
        (json!({"email": "", "externalId": ""}), "missing_identifier", ""),
    ] {
        let expected = (code.to_owned(), format!("/data/0/data{place}"));
        assert_eq!(org().faults("add-activity", call(&change)), [expected], "{change}");
    }
}

#[test]
fn a_start_moved_behind_the_end_is_told_where_it_was_sent() {
    let first = call(&json!({"endedAt": "2026-01-31T08:05:00Z"}));
    let second = json!({"source": "pbx", "externalId": "7", "startedAt": "2026-01-31T09:00:00Z"});
    let rejection = twice(first, second).unwrap_err();
    assert_eq!(rejection.faults[0].pointer, "/data/1/data/startedAt");
}

#[test]
fn details_that_grow_too_large_are_refused_as_a_whole() {
    let half = "x".repeat(9 * 1024);
    let rejection =
        twice(call(&json!({"details": {"a": half}})), call(&json!({"details": {"b": half}})));
    assert_eq!(rejection.unwrap_err().faults[0].pointer, "/data/1/data/details");
}
