use crate::actions::testing::{TestOrg, id};
use crate::batch::{Change, Decision, HistoryLine, KnownDeal, Link, Role, Status, Subject};
use crate::diagnostics::Code;
use crate::records::customer::{Customer, CustomerKind};
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use crate::records::ticket::{Ticket, TicketSla};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

fn ticket(decision: &Decision) -> &Ticket {
    let found = decision.changes.iter().find_map(|change| match change {
        Change::TicketAdded(ticket) => Some(&**ticket),
        _ => None,
    });
    found.expect("a ticket was added")
}

fn created(decision: &Decision) -> Option<&Customer> {
    decision.changes.iter().find_map(|change| match change {
        Change::CustomerCreated(customer) => Some(&**customer),
        _ => None,
    })
}

fn lines(decision: &Decision) -> Vec<&HistoryLine> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::HistoryAdded(line) => Some(line),
            _ => None,
        })
        .collect()
}

fn warnings(decision: &Decision) -> Vec<(Code, &str)> {
    decision.outcome.warnings.iter().map(|w| (w.code, w.pointer.as_str())).collect()
}

fn add(org: &TestOrg, data: Value) -> Decision {
    org.decide("add-ticket", data).expect("the action has no fault")
}

fn at(code: &str, place: &str) -> (String, String) {
    (code.to_owned(), format!("/data/0/data{place}"))
}

/// PID-1 with an e-mail and LID-1 with the same, PID-2 with a phone; the deal 192.
fn org() -> TestOrg {
    let of = |world, kind, value| [Identity::new(world, kind, value)];
    let mut org = TestOrg::new()
        .holding("PID-1", "One", &of(World::Customer, IdentityKind::Email, "one@x.com"))
        .holding("PID-2", "Two", &of(World::Customer, IdentityKind::Phone, "+84905000002"))
        .holding("LID-1", "Lead", &of(World::Lead, IdentityKind::Email, "one@x.com"));
    org.snapshot.deals.known.push(KnownDeal {
        id: id(501),
        deal_id: "192".to_owned(),
        name_key: "booking".to_owned(),
        deal_with: None,
    });
    org
}

#[test]
fn a_ticket_has_everything_that_was_sent() {
    let org = org().with_tag("webhook", id(81));
    let decision = add(
        &org,
        json!({
            "title": "Broken", "body": "It does not work.", "email": "ONE@x.com", "dealId": 192,
            "groupName": "SALES", "slaName": "gold", "channel": "Web Contact Form", "tag": "webhook",
            "cusFields": [{"name": "severity", "value": "high"}],
        }),
    );
    let Ticket {
        id: ticket_id,
        code,
        title,
        body,
        customer,
        deal,
        readers,
        sla,
        channel,
        tags,
        cus_fields,
        owner,
        created_at,
    } = ticket(&decision).clone();
    assert_eq!((title.as_deref(), body.as_str()), (Some("Broken"), "It does not work."));
    assert_eq!((customer, deal, owner), (id(101), Some(id(501)), id(11)));
    assert_eq!((readers, channel, tags), (Permit::MeAndGroup(id(21)), Some(id(66)), vec![id(81)]));
    assert_eq!(cus_fields.into_iter().collect::<Vec<_>>(), [(id(45), "High".to_owned())]);
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let due = TicketSla {
        id: id(71),
        first_response_due_at: now + TimeDelta::minutes(30),
        resolution_due_at: now + TimeDelta::hours(8),
    };
    assert_eq!((sla, created_at), (Some(due), now));
    let outcome = &decision.outcome;
    assert_eq!(outcome.status, Status::Created);
    assert_eq!(
        (
            outcome.record.as_ref().unwrap().id,
            outcome.record.as_ref().unwrap().name.model().as_str()
        ),
        (ticket_id, "ticket")
    );
    assert_eq!(outcome.record.as_ref().unwrap().name.code(), Some(code.to_string()));
    assert_eq!(outcome.related[0].role, Role::Customer(Link::Linked));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn customer_deal_and_ticket_each_get_their_line() {
    let decision = add(&org(), json!({"body": "text", "email": "one@x.com", "dealId": "192"}));
    let ticket = ticket(&decision);
    let of: Vec<_> =
        lines(&decision).iter().map(|line| (line.subject, line.event.kind())).collect();
    assert_eq!(
        of,
        [
            (Subject::Ticket(ticket.id), HistoryKind::Created),
            (Subject::Customer(id(101)), HistoryKind::TicketAdded),
            (Subject::Deal(id(501)), HistoryKind::TicketAdded),
        ]
    );
    let named = json!({"ticket": {"id": ticket.id, "code": ticket.code.to_string()}});
    assert_eq!(lines(&decision)[1].event.details(), named);
}

#[test]
fn the_customer_is_found_among_his_kind_and_not_changed() {
    for (data, customer) in [
        (json!({"customerId": "PID-2", "email": "one@x.com"}), 102),
        (json!({"email": "one@x.com", "phone": "0905000002"}), 101),
        (json!({"phones": [{"value": "0905 000 002"}]}), 102),
        (json!({"email": "one@x.com", "contactType": "lead", "name": "Other"}), 301),
        (json!({"customerId": "LID-1", "contactType": "lead"}), 301),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        let decision = add(&org(), data.clone());
        assert_eq!(ticket(&decision).customer, id(customer), "{data}");
        assert_eq!(created(&decision), None, "{data}");
    }
}

#[test]
fn an_unknown_code_is_a_warning_and_the_search_goes_on() {
    let data = json!({"body": "text", "customerId": "PID-99", "email": "one@x.com"});
    let decision = add(&org(), data);
    assert_eq!(ticket(&decision).customer, id(101));
    assert_eq!(warnings(&decision), [(Code::UnknownCustomer, "/data/0/data/customerId")]);
}

#[test]
fn who_is_not_there_is_made_with_what_a_listener_gives_new_customers() {
    for (data, kind) in [
        (json!({"email": "new@x.com"}), CustomerKind::Contact),
        (json!({"phone": "0905000009"}), CustomerKind::Contact),
        (json!({"passport": "B1"}), CustomerKind::Contact),
        (json!({"email": "new@x.com", "contactType": "lead"}), CustomerKind::Lead),
    ] {
        let mut org = org().welcoming();
        org.listener.default_tag = Some(id(83));
        let mut data = data;
        data["body"] = json!("text");
        data["name"] = json!("New");
        data["lastname"] = json!("Person");
        data["title"] = json!("Of the ticket");
        let decision = add(&org, data.clone());
        let customer = created(&decision).expect("they are made");
        assert_eq!(customer.code.kind, kind, "{data}");
        assert_eq!((customer.name.as_str(), customer.lastname.as_deref()), ("New", Some("Person")));
        assert_eq!((customer.title.as_deref(), &customer.tags), (None, &vec![id(83)]), "{data}");
        assert_eq!(ticket(&decision).customer, customer.id, "{data}");
        assert_eq!(decision.outcome.related[0].role, Role::Customer(Link::Created), "{data}");
        let claims =
            decision.changes.iter().filter(|change| matches!(change, Change::IdentityClaimed(_)));
        assert_eq!(claims.count(), 1, "{data}");
        let messages =
            decision.changes.iter().filter(|change| matches!(change, Change::MessageQueued(_)));
        assert_eq!(messages.count(), usize::from(data.get("passport").is_none()), "{data}");
    }
}

#[test]
fn who_is_not_there_and_cannot_be_made_is_not_found() {
    for data in [
        json!({"email": "new@x.com"}),
        json!({"name": "New", "contactId": "x"}),
        json!({"customerId": "PID-99"}),
        json!({"customerId": "PID-99", "name": "New"}),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        assert_eq!(org().faults("add-ticket", data.clone()), [at("not_found", "")], "{data}");
    }
}

#[test]
fn a_ticket_that_names_nobody_lacks_an_identifier() {
    for data in [
        json!({}),
        json!({"name": "New"}),
        json!({"name": "New", "contactType": "lead", "email": "", "phones": [{"value": ""}]}),
    ] {
        let mut data = data;
        data["body"] = json!("text");
        let faults = org().faults("add-ticket", data.clone());
        assert_eq!(faults, [at("missing_identifier", "")], "{data}");
    }
}

#[test]
fn every_fault_is_told_and_then_nobody_is_made() {
    let data = json!({
        "name": "New", "email": "new@x.com", "groupName": "None", "slaName": "None", "channel": "None",
        "dealId": "none", "title": "x".repeat(256), "cusFields": [{"name": "None", "value": "x"}],
    });
    let mut faults = org().faults("add-ticket", data);
    faults.sort();
    let mut expected = [
        at("required", "/body"),
        at("too_long", "/title"),
        at("unknown_group", "/groupName"),
        at("unknown_sla", "/slaName"),
        at("unknown_channel", "/channel"),
        at("unknown_custom_field", "/cusFields/0/name"),
        at("unknown_deal", "/dealId"),
    ];
    expected.sort();
    assert_eq!(faults, expected);
}

#[test]
fn a_code_of_the_wrong_kind_is_told_with_the_fix() {
    let data = json!({"body": "text", "customerId": "LID-1", "email": "one@x.com"});
    let faults = org().decide("add-ticket", data).unwrap_err().faults;
    assert_eq!((faults.len(), faults[0].code), (1, Code::WrongKind));
    assert!(faults[0].message.contains("add `\"contactType\": \"lead\"`"), "{}", faults[0].message);
}

#[test]
fn without_a_group_everybody_reads_it_and_with_a_dropped_one_only_its_owner() {
    let open = add(&org(), json!({"body": "text", "email": "one@x.com"}));
    assert_eq!(ticket(&open).readers, Permit::Everybody);
    let data =
        json!({"body": "text", "email": "one@x.com", "groupName": "None", "slaName": "None"});
    let dropped = add(&org().skipping_unknown_references(), data);
    assert_eq!((&ticket(&dropped).readers, ticket(&dropped).sla), (&Permit::OnlyMe, None));
    let expected = [
        (Code::UnknownGroup, "/data/0/data/groupName"),
        (Code::UnknownSla, "/data/0/data/slaName"),
    ];
    assert_eq!(warnings(&dropped), expected);
}

#[test]
fn two_tickets_of_one_new_person_in_a_batch_make_him_once() {
    let data = json!({"body": "text", "name": "New", "email": "new@x.com", "tag": "fresh"});
    let decided = TestOrg::new().decide_all(&[("add-ticket", data.clone()), ("add-ticket", data)]);
    let (first, second) = (decided[0].as_ref().unwrap(), decided[1].as_ref().unwrap());
    assert_eq!(ticket(second).customer, created(first).unwrap().id);
    assert_eq!(created(second), None);
    assert_eq!(ticket(second).tags, ticket(first).tags);
    assert_ne!(ticket(second).code, ticket(first).code);
}
