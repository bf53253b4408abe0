//! Which record is meant, and what identifies it afterwards.

use super::{changed, claimed, code, expect_faults, org, released, update, with_email};
use crate::actions::testing::{TestOrg, record};
use crate::batch::Decision;
use crate::diagnostics::Code;
use crate::records::customer::{ContactType, Customer, PhoneEntry};
use crate::records::identity::{Identity, IdentityKind, World};
use serde_json::{Value, json};

#[test]
fn an_identifier_is_required_and_a_name_is_none() {
    for data in [
        json!({}),
        json!({"name": "Huy", "lastname": "Nguyen"}),
        json!({"customerId": "", "contactId": null, "passport": " ", "emails": [], "phones": [{"value": ""}]}),
    ] {
        expect_faults(&org(), data, &[("missing_identifier", "")]);
    }
    let nope = json!({"emails": [{"value": "nope"}]});
    expect_faults(&org(), nope, &[("invalid_email", "/emails/0/value")]);
}

#[test]
fn the_first_in_order_that_finds_exactly_one_record_wins() {
    let phone = PhoneEntry {
        r#type: ContactType::Other,
        value: "0905000006".to_owned(),
        e164: Some("+84905000006".to_owned()),
    };
    let org = TestOrg::new()
        .keeping(record("PID-1", "By Code"))
        .keeping(Customer { contact_id: Some("ext".to_owned()), ..record("PID-2", "B") })
        .keeping(Customer { passport: Some("P1".to_owned()), ..record("PID-3", "C") })
        .keeping(record("PID-4", "By Name"))
        .keeping(with_email("PID-5", "E", "e@x.com"))
        .keeping(Customer { phones: vec![phone], ..record("PID-6", "F") });
    let all = json!({"customerId": "PID-1", "contactId": "ext", "passport": "p-1", "name": "by NAME",
        "emails": [{"value": "e@x.com"}], "phones": [{"value": "0905000006"}]});
    let fields = ["customerId", "contactId", "passport", "name", "emails", "phones"];
    for (place, found) in (1..=6).enumerate() {
        let mut data = all.clone();
        for field in &fields[..place] {
            data.as_object_mut().unwrap().remove(*field);
        }
        // Everything after it belongs to others, which is told, but does not change who is meant.
        let held_by_others = fields[place + 1..].iter().filter(|field| **field != "name").count();
        match org.decide("update-contact", data.clone()) {
            Ok(decision) => {
                assert_eq!((code(&decision), held_by_others), (format!("PID-{found}"), 0));
            }
            Err(rejection) => {
                assert_eq!(rejection.faults.len(), held_by_others, "{data}");
                let own = format!("PID-{found} holds");
                for fault in rejection.faults {
                    assert_eq!(fault.code, Code::IdentifierTaken);
                    assert!(!fault.message.starts_with(&own), "{}", fault.message);
                }
            }
        }
    }
}

#[test]
fn a_name_that_finds_several_is_passed_over_and_a_lastname_tells_them_apart() {
    let org = TestOrg::new()
        .keeping(Customer { lastname: Some("Le".to_owned()), ..record("PID-1", "Huy") })
        .keeping(Customer { lastname: Some("Vo".to_owned()), ..record("PID-2", "huy") })
        .keeping(with_email("PID-3", "Other", "o@x.com"));
    let emails = json!([{"value": "o@x.com"}]);
    let several = update(&org, json!({"name": "HUY", "emails": emails}));
    assert_eq!(code(&several), "PID-3");
    let fresh = json!([{"value": "fresh@x.com"}]);
    let one = update(&org, json!({"name": "HUY", "lastname": "vo", "emails": fresh}));
    assert_eq!(code(&one), "PID-2");
    expect_faults(&org, json!({"name": "HUY", "emails": fresh}), &[("not_found", "")]);
    let mut crowd = TestOrg::new();
    for number in 1..=5 {
        crowd = crowd.keeping(record(&format!("PID-{number}"), "Huy"));
    }
    expect_faults(&crowd, json!({"name": "Huy", "emails": fresh}), &[("not_found", "")]);
}

#[test]
fn of_several_emails_the_first_that_is_held_finds_the_record() {
    let org = TestOrg::new()
        .keeping(with_email("PID-1", "A", "a@x.com"))
        .keeping(with_email("PID-2", "B", "b@x.com"));
    let data =
        json!({"emails": [{"value": "c@x.com"}, {"value": "b@x.com"}, {"value": "a@x.com"}]});
    let rejection = org.decide("update-contact", data).expect_err("a@x.com belongs to PID-1");
    let faults: Vec<_> = rejection.faults.iter().map(|f| (f.code, f.pointer.as_str())).collect();
    assert_eq!(faults, [(Code::IdentifierTaken, "/data/0/data/emails/2/value")]);
    assert!(rejection.faults[0].message.starts_with("PID-1 holds"));
}

#[test]
fn type_selects_contact_or_account_in_every_step() {
    let org = TestOrg::new()
        .keeping(with_email("CID-1", "Twin", "t@x.com"))
        .keeping(record("PID-2", "Twin"));
    let fresh = json!([{"value": "fresh@x.com"}]);
    for (r#type, found) in [(0, "PID-2"), (1, "CID-1")] {
        let decision = update(&org, json!({"type": r#type, "name": "Twin", "emails": fresh}));
        assert_eq!(code(&decision), found);
    }
    expect_faults(&org, json!({"name": "Twin", "emails": fresh}), &[("not_found", "")]);
    let held = json!([{"value": "t@x.com"}]);
    assert_eq!(code(&update(&org, json!({"emails": held}))), "CID-1");
    expect_faults(&org, json!({"type": 0, "emails": held}), &[("not_found", "")]);
}

#[test]
fn a_code_that_cannot_be_meant_is_told_and_the_search_does_not_go_on() {
    let emails = json!([{"value": "huy@x.com"}]);
    for (code, r#type, fault, place, says) in [
        ("PID-9", Value::Null, "not_found", "/customerId", "PID-9"),
        ("12", Value::Null, "not_found", "/customerId", "PID-12"),
        ("LID-1", Value::Null, "wrong_kind", "/customerId", "update-lead"),
        ("PID-1", json!(1), "wrong_kind", "/type", "`type` is 0"),
        ("CID-1", json!(0), "wrong_kind", "/type", "`type` is 1"),
    ] {
        let data = json!({"customerId": code, "type": r#type, "emails": emails});
        expect_faults(&org(), data.clone(), &[(fault, place)]);
        let rejection = org().decide("update-contact", data).unwrap_err();
        assert!(rejection.faults[0].message.contains(says), "{}", rejection.faults[0].message);
    }
    let lead = json!({"customerId": "PID-1", "contactType": "lead"});
    expect_faults(&org(), lead, &[("wrong_kind", "/contactType")]);
}

#[test]
fn every_new_identifier_that_another_record_holds_is_told_with_its_holder() {
    let org = org()
        .keeping(with_email("PID-2", "A", "a@x.com"))
        .keeping(Customer {
            contact_id: Some("ext-3".to_owned()),
            passport: Some("P3".to_owned()),
            ..record("CID-3", "B")
        })
        .keeping(with_email("LID-4", "Lead", "lead@x.com"));
    let data = json!({"customerId": "PID-1", "contactId": "ext-3", "passport": "p 3",
        "emails": [{"value": "lead@x.com"}, {"value": "A@x.com"}]});
    expect_faults(
        &org,
        data.clone(),
        &[
            ("identifier_taken", "/contactId"),
            ("identifier_taken", "/passport"),
            ("identifier_taken", "/emails/1/value"),
        ],
    );
    let rejection = org.decide("update-contact", data).unwrap_err();
    let holders: Vec<&str> =
        rejection.faults.iter().filter_map(|fault| fault.message.split(' ').next()).collect();
    assert_eq!(holders, ["CID-3", "CID-3", "PID-2"]);
}

#[test]
fn an_email_that_the_record_has_without_being_identified_by_it_stays_as_it_is() {
    let mut org = TestOrg::new()
        .keeping(with_email("PID-1", "A", "a@x.com"))
        .keeping(with_email("CID-2", "Co", "a@x.com"));
    let shared = Identity::new(World::Customer, IdentityKind::Email, "a@x.com");
    let contact = org.snapshot.customers.known[0].id;
    org.snapshot.customers.holders.retain(|(identity, _)| *identity != shared);
    org.snapshot.customers.holders.push((shared, contact));
    let emails = json!([{"type": "Work", "value": "a@x.com"}]);
    let decision = update(&org, json!({"customerId": "CID-2", "emails": emails}));
    assert_eq!(changed(&decision).emails[0].r#type, ContactType::Work);
    assert_eq!(claimed(&decision), []);
    let cleared = update(&org, json!({"customerId": "CID-2", "emails": null}));
    assert_eq!(released(&cleared), Vec::<&str>::new(), "it belongs to the contact");
}

#[test]
fn a_changed_identifier_lets_the_old_one_go_and_a_new_spelling_keeps_it() {
    let data = json!({"customerId": "PID-1", "passport": "C9", "contactId": "ext-9"});
    let decision = update(&org(), data);
    assert_eq!(released(&decision), ["ext-1", "B1234"]);
    assert_eq!(claimed(&decision), [("ext-9", true), ("C9", true)]);
    let respelt = update(&org(), json!({"customerId": "PID-1", "passport": "B1234"}));
    assert_eq!(changed(&respelt).passport.as_deref(), Some("B1234"));
    assert_eq!((released(&respelt).len(), claimed(&respelt).len()), (0, 0));
}

#[test]
fn the_claim_to_an_accounts_name_moves_with_it() {
    let renamed = update(&org(), json!({"customerId": "CID-1", "name": "Beta Co"}));
    assert_eq!(released(&renamed), ["acme co"]);
    assert_eq!(claimed(&renamed), [("beta co", false)]);
    let respelt = update(&org(), json!({"customerId": "CID-1", "name": "ACME CO"}));
    assert_eq!((released(&respelt).len(), claimed(&respelt).len()), (0, 0));
    let org = org().keeping(record("CID-2", "Gamma"));
    let shared = update(&org, json!({"customerId": "CID-1", "name": "Gamma"}));
    assert_eq!(claimed(&shared), [], "the one that has it keeps the claim");
}

#[test]
fn an_identifier_that_one_record_lets_go_another_can_take_in_the_same_batch() {
    let org = TestOrg::new()
        .keeping(with_email("PID-1", "A", "a@x.com"))
        .keeping(with_email("PID-2", "B", "b@x.com"));
    let results = org.decide_all(&[
        ("update-contact", json!({"customerId": "PID-1", "emails": null})),
        ("update-contact", json!({"customerId": "PID-2", "emails": [{"value": "a@x.com"}]})),
    ]);
    let decisions: Vec<Decision> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(released(&decisions[0]), ["a@x.com"]);
    assert_eq!(claimed(&decisions[1]), [("a@x.com", true)]);
}
