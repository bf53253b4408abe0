use crate::actions::testing::{TestOrg, id, record};
use crate::batch::{Change, Decision, HistoryLine, KnownDeal, Status, Subject};
use crate::diagnostics::Code;
use crate::records::customer::Customer;
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::note::{Note, NoteTarget};
use crate::records::permit::Permit;
use crate::values::text::fold;
use serde_json::{Value, json};

fn note(decision: &Decision) -> &Note {
    let found = decision.changes.iter().find_map(|change| match change {
        Change::NoteAdded(note) => Some(&**note),
        _ => None,
    });
    found.expect("a note was added")
}

fn line(decision: &Decision) -> &HistoryLine {
    let found = decision.changes.iter().find_map(|change| match change {
        Change::HistoryAdded(line) => Some(line),
        _ => None,
    });
    found.expect("there is a line")
}

fn changed(decision: &Decision) -> Option<&Customer> {
    decision.changes.iter().find_map(|change| match change {
        Change::CustomerChanged(customer) => Some(&**customer),
        _ => None,
    })
}

fn add(org: &TestOrg, data: Value) -> Decision {
    org.decide("add-note", data).expect("the action has no fault")
}

fn fault(org: &TestOrg, data: Value) -> (String, String) {
    let faults = org.faults("add-note", data);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

fn at(code: &str, place: &str) -> (String, String) {
    (code.to_owned(), format!("/data/0/data{place}"))
}

/// PID-1 to PID-5 with an identifier of each kind, CID-9, and LID-1 with PID-4's e-mail.
fn org() -> TestOrg {
    let of = |world, kind, value| [Identity::new(world, kind, value)];
    TestOrg::new()
        .holding("PID-1", "One", &[])
        .holding("PID-2", "Two", &of(World::Customer, IdentityKind::ContactId, "x-2"))
        .holding("PID-3", "Three", &of(World::Customer, IdentityKind::Passport, "B123"))
        .holding("PID-4", "Four", &of(World::Customer, IdentityKind::Email, "four@x.com"))
        .holding("PID-5", "Five", &of(World::Customer, IdentityKind::Phone, "+84905000005"))
        .holding("CID-9", "Nine", &[])
        .holding("LID-1", "Lead", &of(World::Lead, IdentityKind::Email, "four@x.com"))
}

fn with_deal(mut org: TestOrg, number: u128, deal_id: &str, name: &str) -> TestOrg {
    let deal = KnownDeal {
        id: id(number),
        deal_id: deal_id.to_owned(),
        name_key: fold(name),
        deal_with: None,
    };
    org.snapshot.deals.known.push(deal);
    org
}

#[test]
fn the_customer_is_found_by_the_first_identifier_that_somebody_has() {
    let all = json!({
        "customerId": "pid-1", "contactId": "x-2", "passport": "b-123", "email": "Four@x.com",
        "phone": "0905000005",
    });
    let order = ["customerId", "contactId", "passport", "email", "phone"];
    for (index, customer) in [101, 102, 103, 104, 105].into_iter().enumerate() {
        let mut data = all.clone();
        for earlier in &order[..index] {
            data[earlier] = json!("");
        }
        data["body"] = json!("text");
        let decision = add(&org(), data.clone());
        assert_eq!(note(&decision).target, NoteTarget::Customer(id(customer)), "{data}");
        assert_eq!(decision.outcome.warnings, [], "{data}");
    }
}

#[test]
fn an_identifier_that_nobody_has_leaves_the_search_to_the_next() {
    let data = json!({"body": "text", "contactId": "none", "passport": "none", "email": "no@x.com",
                      "emails": [{"value": "four@x.com"}]});
    assert_eq!(note(&add(&org(), data)).target, NoteTarget::Customer(id(104)));
    let data =
        json!({"body": "text", "phones": [{"value": "0905000001"}, {"value": "0905000005"}]});
    assert_eq!(note(&add(&org(), data)).target, NoteTarget::Customer(id(105)));
}

#[test]
fn a_lead_is_found_among_leads_alone() {
    let data = json!({"body": "text", "email": "four@x.com", "contactType": "lead"});
    assert_eq!(note(&add(&org(), data)).target, NoteTarget::Customer(id(301)));
    let data =
        json!({"body": "text", "customerId": "LID-1", "contactType": "lead", "email": "x@x.com"});
    assert_eq!(note(&add(&org(), data)).target, NoteTarget::Customer(id(301)));
    let data = json!({"body": "text", "passport": "B123", "contactType": "lead"});
    assert_eq!(fault(&org(), data), at("not_found", ""));
}

#[test]
fn an_account_is_a_customer() {
    let decision = add(&org(), json!({"body": "text", "customerId": "CID-9"}));
    assert_eq!(note(&decision).target, NoteTarget::Customer(id(209)));
}

#[test]
fn nobody_is_made_for_a_note() {
    for (data, expected) in [
        (json!({"customerId": "PID-99", "email": "four@x.com"}), at("not_found", "/customerId")),
        (json!({"customerId": "99", "email": "four@x.com"}), at("not_found", "/customerId")),
        (json!({"email": "no@x.com"}), at("not_found", "")),
        (json!({"name": "One"}), at("missing_identifier", "")),
        (json!({"customerId": "", "emails": []}), at("missing_identifier", "")),
        (json!({"email": "no address"}), at("invalid_email", "/email")),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        assert_eq!(fault(&org(), data.clone()), expected, "{data}");
    }
}

#[test]
fn a_code_of_the_wrong_kind_is_told_with_the_fix() {
    for (data, says) in [
        (json!({"body": "text", "customerId": "LID-1"}), "add `\"contactType\": \"lead\"`"),
        (json!({"body": "text", "customerId": "PID-1", "contactType": "lead"}), "leave out"),
    ] {
        let faults = org().decide("add-note", data.clone()).unwrap_err().faults;
        assert_eq!(faults.len(), 1, "{data}");
        assert_eq!(faults[0].code, Code::WrongKind, "{data}");
        assert_eq!(faults[0].pointer, "/data/0/data/customerId", "{data}");
        assert!(faults[0].message.contains(says), "{}", faults[0].message);
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let data = json!({"channel": "Pigeon", "permit": {"status": 3, "group": "None"}, "customerId": "PID-99",
                      "model": "lead"});
    let mut faults = org().faults("add-note", data);
    faults.sort();
    let mut expected = [
        at("required", "/body"),
        at("invalid_choice", "/model"),
        at("unknown_channel", "/channel"),
        at("unknown_group", "/permit/group"),
        at("not_found", "/customerId"),
    ];
    expected.sort();
    assert_eq!(faults, expected);
}

#[test]
fn a_text_holds_64_kib() {
    let body = |bytes| json!({"body": "x".repeat(bytes), "customerId": "PID-1"});
    assert_eq!(note(&add(&org(), body(65_536))).body.len(), 65_536);
    assert_eq!(fault(&org(), body(65_537)), at("too_long", "/body"));
}

#[test]
fn the_note_is_the_senders_with_its_channel_and_permit() {
    let data = json!({"body": " Called. ", "customerId": "PID-1", "channel": "kite chat",
                      "permit": {"status": 4, "users": ["bob@acme.test"]}});
    let decision = add(&org(), data);
    let note = note(&decision);
    assert_eq!((note.body.as_str(), note.owner), ("Called.", id(11)));
    assert_eq!(note.channel, Some(id(65)));
    assert_eq!(note.permit, Permit::MeAndUsers(vec![id(12)]));
    let outcome = &decision.outcome;
    assert_eq!(outcome.status, Status::Created);
    assert_eq!(
        (
            outcome.record.as_ref().unwrap().id,
            outcome.record.as_ref().unwrap().name.model().as_str()
        ),
        (note.id, "note")
    );
    assert_eq!(outcome.record.as_ref().unwrap().name.code(), None);
}

#[test]
fn the_web_contact_form_is_the_contact_form() {
    let data = json!({"body": "text", "customerId": "PID-1", "channel": "Web contact form"});
    assert_eq!(note(&add(&org(), data)).channel, Some(id(66)));
}

/// What the documents call a customer's channel is a source of the org.
#[test]
fn a_source_of_the_org_is_a_channel_too() {
    for (name, id_of_it) in [("WEB", 31), ("Kite Chat", 65)] {
        let data = json!({"body": "text", "customerId": "PID-1", "channel": name});
        assert_eq!(note(&add(&org(), data)).channel, Some(id(id_of_it)), "{name}");
    }
    let data = json!({"body": "text", "customerId": "PID-1", "channel": "Pigeon"});
    let faults = org().decide("add-note", data).unwrap_err().faults;
    let message = &faults[0].message;
    assert!(message.contains("Web") && message.contains("Kite Chat"), "{message}");
}

#[test]
fn unknown_names_may_be_dropped_and_the_note_gets_no_wider_by_it() {
    let data = json!({"body": "text", "customerId": "PID-1", "channel": "Pigeon",
                      "permit": {"status": 3, "group": "None"}});
    let decision = add(&org().skipping_unknown_references(), data);
    assert_eq!((note(&decision).channel, &note(&decision).permit), (None, &Permit::OnlyMe));
    let codes: Vec<Code> = decision.outcome.warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, [Code::UnknownChannel, Code::UnknownGroup]);
}

#[test]
fn the_history_names_the_note_without_its_text() {
    let decision = add(&org(), json!({"body": "secret", "customerId": "PID-1"}));
    let HistoryLine { subject, event, .. } = line(&decision);
    assert_eq!((*subject, event.kind()), (Subject::Customer(id(101)), HistoryKind::NoteAdded));
    assert_eq!(event.details(), json!({"note": {"id": note(&decision).id}}));
}

/// PID-7, who has the tag "old"; the org has the tag "VIP" too.
fn tagged() -> TestOrg {
    TestOrg::new()
        .with_tag("VIP", id(81))
        .with_tag("old", id(82))
        .keeping(Customer { tags: vec![id(82)], ..record("PID-7", "Seven") })
}

#[test]
fn tags_that_the_customer_lacks_are_added_to_him() {
    let data = json!({"body": "text", "customerId": "PID-7", "tag": "vip, OLD, new"});
    let decision = add(&tagged(), data);
    let customer = changed(&decision).expect("they are changed");
    assert_eq!(customer.tags[..2], [id(82), id(81)]);
    assert_eq!(customer.tags.len(), 3);
    assert_eq!(line(&decision).event.details()["tagsAdded"], json!(["vip", "new"]));
}

#[test]
fn tags_that_the_customer_has_leave_him_as_he_is() {
    let data = json!({"body": "text", "customerId": "PID-7", "tag": "OLD"});
    let decision = add(&tagged(), data);
    assert_eq!(changed(&decision), None);
    assert_eq!(line(&decision).event.details().get("tagsAdded"), None);
}

#[test]
fn a_customer_made_earlier_in_the_batch_can_be_noted_on_and_tagged() {
    let decided = TestOrg::new().decide_all(&[
        ("add-contact", json!({"name": "Ann", "emails": [{"value": "a@x.com"}]})),
        ("add-note", json!({"body": "text", "email": "a@x.com", "tag": "new"})),
    ]);
    let made = decided[0].as_ref().unwrap().outcome.record.as_ref().unwrap().id;
    let noted = decided[1].as_ref().unwrap();
    assert_eq!(note(noted).target, NoteTarget::Customer(made));
    assert_eq!(changed(noted).unwrap().tags.len(), 1);
}

#[test]
fn a_deal_is_found_by_its_deal_id_then_by_its_name() {
    let org = with_deal(with_deal(org(), 501, "192", "Booking"), 502, "B", "Other");
    for (data, deal, warnings) in [
        (json!({"dealId": 192, "name": "Other"}), 501, vec![]),
        (json!({"name": "OTHER"}), 502, vec![]),
        (json!({"dealId": "none", "name": "Booking"}), 501, vec![Code::UnknownDeal]),
        (json!({"dealId": "B", "tag": "x", "email": "a@x.com"}), 502, vec![Code::IgnoredField; 2]),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        data["model"] = json!("deal");
        let decision = add(&org, data.clone());
        assert_eq!(note(&decision).target, NoteTarget::Deal(id(deal)), "{data}");
        assert_eq!(line(&decision).subject, Subject::Deal(id(deal)), "{data}");
        let codes: Vec<Code> = decision.outcome.warnings.iter().map(|w| w.code).collect();
        assert_eq!(codes, warnings, "{data}");
    }
}

#[test]
fn a_deal_that_is_not_there_or_not_one_is_a_fault() {
    let org = with_deal(with_deal(org(), 501, "1", "Twin"), 502, "2", "twin");
    for (data, expected) in [
        (json!({"name": "Twin"}), at("ambiguous", "/name")),
        (json!({"name": "None"}), at("not_found", "/name")),
        (json!({"dealId": "3"}), at("not_found", "/dealId")),
        (json!({"dealId": "3", "name": "None"}), at("not_found", "/name")),
        (json!({"customerId": "PID-1"}), at("missing_identifier", "")),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        data["model"] = json!("deal");
        assert_eq!(fault(&org, data.clone()), expected, "{data}");
    }
}
