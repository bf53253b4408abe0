use crate::actions::testing::{TestOrg, id};
use crate::batch::{Change, Decision, KnownDeal, Link, RecordName, Role, Status, Subject};
use crate::diagnostics::Code;
use crate::records::customer::Customer;
use crate::records::deal::{Deal, DealOwners};
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use chrono::DateTime;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn email(value: &str) -> Identity {
    Identity::new(World::Customer, IdentityKind::Email, value)
}

/// An org with the contact PID-1 and the lead LID-1.
fn org() -> TestOrg {
    let lead = Identity::new(World::Lead, IdentityKind::Email, "lead@x.com");
    TestOrg::new().holding("PID-1", "Huy", &[email("huy@x.com")]).holding("LID-1", "Lan", &[lead])
}

/// The org with a deal 7 called Booking, with PID-1, owned by Ann.
fn org_with_deal() -> TestOrg {
    with_deal(org(), deal(7, "Booking"))
}

fn with_deal(mut org: TestOrg, deal: Deal) -> TestOrg {
    org.snapshot.deals.known.push(KnownDeal::of(&deal));
    org.snapshot.deals.records.push(deal);
    org
}

fn deal(number: u128, name: &str) -> Deal {
    let then = DateTime::from_timestamp(-1, 0).unwrap();
    Deal {
        id: id(900 + number),
        deal_id: number.to_string(),
        name: name.to_owned(),
        value: Some("5".parse().unwrap()),
        currency: "USD".to_owned(),
        description: Some("old".to_owned()),
        stage: id(61),
        category: Some(id(63)),
        package: None,
        close_date: Some(then),
        owners: DealOwners::user(id(11)),
        cus_fields: BTreeMap::from([(id(44), "Shop".to_owned())]),
        permit: Permit::OnlyMe,
        deal_with: Some(id(101)),
        contacts: BTreeSet::new(),
        created_at: then,
        updated_at: then,
    }
}

/// The least that makes a deal, with these fields besides.
fn new(fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    let mut data =
        json!({"name": "Trip", "stage": "new", "dealWith": {"emails": [{"value": "HUY@x.com"}]}});
    data.as_object_mut().unwrap().extend(fields);
    data
}

fn add(org: &TestOrg, data: Value) -> Decision {
    org.decide("add-deal", data).expect("the action has no fault")
}

fn made(decision: &Decision) -> &Deal {
    let made = decision.changes.iter().find_map(|change| match change {
        Change::DealCreated { deal, .. } => Some(deal),
        _ => None,
    });
    made.expect("a deal is made")
}

fn changed(decision: &Decision) -> &Deal {
    let changed = decision.changes.iter().find_map(|change| match change {
        Change::DealChanged(deal) => Some(deal),
        _ => None,
    });
    changed.expect("a deal is changed")
}

fn customers(decision: &Decision) -> Vec<&Customer> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::CustomerCreated(customer) => Some(&**customer),
            _ => None,
        })
        .collect()
}

fn lines(decision: &Decision) -> Vec<(Subject, HistoryKind, Value)> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::HistoryAdded(line) => {
                Some((line.subject, line.event.kind(), line.event.details()))
            }
            _ => None,
        })
        .collect()
}

fn warnings(decision: &Decision) -> Vec<(Code, &str)> {
    decision.outcome.warnings.iter().map(|w| (w.code, w.pointer.as_str())).collect()
}

#[test]
fn a_deal_is_made_with_every_field_that_was_sent() {
    let decision = add(
        &org(),
        json!({
            "dealId": 9_007_199_254_740_993_u64, "name": " Booking ", "value": "99.95", "currency": "usd",
            "description": "d", "stage": "WON", "category": "ui design", "package": "goi a",
            "closeDate": 1_482_470_382_793_u64, "cusFields": [{"name": "channel", "value": "web"}],
            "owner_opportunity": {"users": ["BOB@acme.test", "bob@acme.test"], "groups": ["sales"]},
            "permit": {"status": 3, "group": "Sales"},
            "dealWith": {"customerId": "PID-1"},
            "contacts": [{"contactType": "lead", "customerId": "LID-1"}],
        }),
    );
    let deal = made(&decision);
    assert_eq!(
        *deal,
        Deal {
            id: deal.id,
            deal_id: "9007199254740993".to_owned(),
            name: "Booking".to_owned(),
            value: Some("99.95".parse().unwrap()),
            currency: "USD".to_owned(),
            description: Some("d".to_owned()),
            stage: id(62),
            category: Some(id(63)),
            package: Some(id(64)),
            close_date: DateTime::from_timestamp_millis(1_482_470_382_793),
            owners: DealOwners { users: vec![id(12)], groups: vec![id(21)] },
            cus_fields: BTreeMap::from([(id(44), "Web".to_owned())]),
            permit: Permit::MeAndGroup(id(21)),
            deal_with: Some(id(101)),
            contacts: BTreeSet::from([id(301)]),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    );
    assert_eq!(decision.outcome.status, Status::Created);
    assert_eq!(
        decision.outcome.record.as_ref().unwrap().name,
        RecordName::Deal("9007199254740993".to_owned())
    );
    let roles: Vec<Role> = decision.outcome.related.iter().map(|related| related.role).collect();
    assert_eq!(roles, [Role::DealWith(Link::Linked), Role::Contact(Link::Linked)]);
    assert_eq!(decision.outcome.warnings, []);
}

#[test]
fn what_is_not_said_is_the_senders_and_the_orgs() {
    let decision =
        add(&org(), new(json!({"value": "", "owner_opportunity": {"users": [], "groups": []}})));
    let deal = made(&decision);
    assert_eq!(deal.owners, DealOwners::user(id(11)));
    assert_eq!(deal.currency, "VND");
    assert_eq!((deal.value, &deal.permit), (None, &Permit::Everybody));
    assert_eq!(deal.deal_id, "101");
}

#[test]
fn a_new_deal_is_told_on_its_customers_and_in_its_own_history() {
    let decision = add(
        &org(),
        new(json!({"dealId": "A-1", "contacts": [{"contactType": "lead", "customerId": "LID-1"}]})),
    );
    let deal = made(&decision);
    let told = json!({"deal": {"id": deal.id, "dealId": "A-1"}});
    assert_eq!(
        lines(&decision),
        [
            (Subject::Deal(deal.id), HistoryKind::Created, json!({"by": "listener"})),
            (Subject::Customer(id(101)), HistoryKind::DealAdded, told.clone()),
            (Subject::Customer(id(301)), HistoryKind::DealAdded, told),
        ]
    );
}

fn check_faults(cases: &[(Value, &[(&str, &str)])]) {
    for (data, faults) in cases {
        let faults: Vec<(String, String)> = faults
            .iter()
            .map(|(code, at)| ((*code).to_owned(), format!("/data/0/data/{at}")))
            .collect();
        assert_eq!(org().faults("add-deal", data.clone()), faults, "{data}");
    }
}

#[test]
fn every_fault_of_a_field_is_told_at_its_place() {
    let stranger = json!({"name": "New", "emails": [{"value": "new@x.com"}]});
    check_faults(&[
        (json!({"dealWith": stranger}), &[("required", "name")]),
        (json!({"name": "Trip", "dealWith": stranger}), &[("required", "stage")]),
        (json!({"name": "Trip", "stage": "New"}), &[("required", "dealWith")]),
        (
            json!({"name": null, "stage": null, "dealWith": null}),
            &[("required", "name"), ("required", "stage"), ("required", "dealWith")],
        ),
        (new(json!({"stage": "Nwe"})), &[("unknown_stage", "stage")]),
        (
            new(json!({"category": "x", "package": "y", "currency": "EUR"})),
            &[
                ("unknown_currency", "currency"),
                ("unknown_category", "category"),
                ("unknown_package", "package"),
            ],
        ),
        (new(json!({"value": -1})), &[("out_of_range", "value")]),
        (new(json!({"value": "1.23456"})), &[("out_of_range", "value")]),
        (new(json!({"value": "a lot"})), &[("invalid_value", "value")]),
        (new(json!({"value": [1]})), &[("wrong_type", "value")]),
        (new(json!({"closeDate": "soon"})), &[("invalid_date", "closeDate")]),
        (new(json!({"dealId": "x".repeat(256)})), &[("too_long", "dealId")]),
        (
            new(json!({"owner_opportunity": {"users": ["gone@acme.test"], "groups": ["x"]}})),
            &[
                ("unknown_user", "owner_opportunity/users/0"),
                ("unknown_group", "owner_opportunity/groups/0"),
            ],
        ),
        (
            new(json!({"cusFields": [{"name": "Channel", "value": "Fax"}]})),
            &[("invalid_custom_value", "cusFields/0/value")],
        ),
    ]);
}

/// Where a customer cannot be made nobody is, and no deal either.
#[test]
fn every_fault_of_a_customer_is_told_at_its_place() {
    let stranger = json!({"name": "New", "emails": [{"value": "new@x.com"}]});
    check_faults(&[
        (
            new(json!({"dealWith": {"emails": [{"value": "new@x.com"}]}})),
            &[("required", "dealWith/name")],
        ),
        (
            new(json!({"dealWith": {"customerId": "LID-1"}})),
            &[("wrong_kind", "dealWith/customerId")],
        ),
        (
            new(json!({"dealWith": {"customerId": "PID-1", "contactType": "lead", "name": "x"}})),
            &[("wrong_kind", "dealWith/customerId")],
        ),
        (
            new(json!({"dealWith": {"customerId": "PID-1", "type": 1}})),
            &[("wrong_kind", "dealWith/type")],
        ),
        (
            new(
                json!({"dealWith": stranger, "contacts": [{"emails": [{"value": "other@x.com"}]}]}),
            ),
            &[("required", "contacts/0/name")],
        ),
        (new(json!({"contacts": {}, "dealWith": "PID-1"})), &[("wrong_type", "dealWith")]),
    ]);
}

/// Whoever was made without one would be made again by the next delivery.
#[test]
fn a_customer_without_any_identifier_is_neither_found_nor_made() {
    check_faults(&[
        (new(json!({"dealWith": {"name": "New"}})), &[("missing_identifier", "dealWith")]),
        (
            new(json!({"dealWith": {"name": "New", "emails": [{"value": ""}], "contactId": ""}})),
            &[("missing_identifier", "dealWith")],
        ),
        (
            new(json!({"dealWith": {"name": "New", "customerId": "PID-404"}})),
            &[("missing_identifier", "dealWith")],
        ),
        (
            new(json!({"dealWith": {"customerId": "PID-404"}})),
            &[("missing_identifier", "dealWith"), ("required", "dealWith/name")],
        ),
        (
            new(json!({"dealWith": {"name": "New", "emails": [{"value": "nobody"}]}})),
            &[("invalid_email", "dealWith/emails/0/value")],
        ),
        (
            new(json!({"contacts": [{"name": "New"}, {"name": "Lan", "contactType": "lead"}]})),
            &[("missing_identifier", "contacts/0"), ("missing_identifier", "contacts/1")],
        ),
    ]);
    for identifier in [
        json!({"contactId": "x"}),
        json!({"passport": "B1"}),
        json!({"emails": [{"value": "new@x.com"}]}),
        json!({"phones": [{"value": "0905000009"}], "customerId": "PID-404"}),
    ] {
        let mut data = new(json!({"dealWith": identifier}));
        data["dealWith"]["name"] = json!("New");
        assert_eq!(customers(&add(&org(), data.clone())).len(), 1, "{data}");
    }
}

#[test]
fn owners_may_be_given_in_several_objects() {
    let owners =
        |value: Value| made(&add(&org(), new(json!({"owner_opportunity": value})))).owners.clone();
    let both = DealOwners { users: vec![id(11), id(12)], groups: vec![id(21)] };
    for several in [
        json!([{"users": ["ann@acme.test"]}, {"users": ["bob@acme.test"], "groups": ["Sales"]}]),
        json!([{"groups": ["sales"], "users": ["ann@acme.test", "BOB@acme.test"]}, {}, null]),
    ] {
        assert_eq!(owners(several.clone()), both, "{several}");
    }
    assert_eq!(owners(json!([{"users": []}, {}])), DealOwners::user(id(11)));
    check_faults(&[
        (
            new(json!({"owner_opportunity": [{"users": ["ann@acme.test"]}, {"groups": ["x"]}]})),
            &[("unknown_group", "owner_opportunity/1/groups/0")],
        ),
        (
            new(json!({"owner_opportunity": ["ann@acme.test"]})),
            &[("wrong_type", "owner_opportunity/0")],
        ),
        (
            new(json!({"owner_opportunity": "ann@acme.test"})),
            &[("wrong_type", "owner_opportunity")],
        ),
    ]);
}

#[test]
fn a_deal_id_that_is_held_means_that_deal_and_another_a_new_one() {
    let org = org_with_deal();
    let held = add(&org, json!({"dealId": 7, "name": "Renamed"}));
    assert_eq!(held.outcome.status, Status::Updated);
    assert_eq!(changed(&held).name, "Renamed");
    let unknown = add(&org, new(json!({"dealId": "07", "name": "Booking"})));
    assert_eq!(unknown.outcome.status, Status::Created);
    assert_eq!(made(&unknown).deal_id, "07");
}

#[test]
fn without_a_deal_id_the_name_decides() {
    let org = org_with_deal();
    let found = add(&org, json!({"name": "BOOKING", "value": 6}));
    assert_eq!(
        (found.outcome.status, found.outcome.record.as_ref().unwrap().id),
        (Status::Updated, id(907))
    );
    assert_eq!(add(&org, new(json!({}))).outcome.status, Status::Created);
    let twice = with_deal(org, deal(8, "booking"));
    let faults = twice.faults("add-deal", json!({"name": "Booking", "value": 6}));
    assert_eq!(faults, [("ambiguous".to_owned(), "/data/0/data/name".to_owned())]);
}

#[test]
fn later_actions_of_the_request_see_what_earlier_ones_did() {
    let decisions = org().decide_all(&[
        ("add-deal", new(json!({"value": 1}))),
        ("add-deal", new(json!({"value": 2}))),
        ("add-deal", json!({"dealId": "101", "name": "Other"})),
        ("add-deal", new(json!({"value": 3}))),
        ("add-deal", json!({"name": "OTHER", "value": 4})),
    ]);
    let statuses: Vec<Status> =
        decisions.iter().map(|decision| decision.as_ref().unwrap().outcome.status).collect();
    assert_eq!(
        statuses,
        [Status::Created, Status::Updated, Status::Updated, Status::Created, Status::Updated]
    );
}

#[test]
fn in_a_change_what_is_absent_or_empty_stays() {
    let decision = add(
        &org_with_deal(),
        json!({
            "dealId": "7", "name": "Booking", "value": "", "currency": "", "description": "", "stage": "",
            "category": "", "package": "", "closeDate": "", "owner_opportunity": {"users": [], "groups": []},
            "permit": {}, "cusFields": [], "contacts": [], "dealWith": {"type": 0, "contactType": "customer", "name": ""},
        }),
    );
    assert_eq!(decision.outcome.status, Status::Unchanged);
    assert_eq!(decision.changes, []);
}

#[test]
fn in_a_change_null_clears_or_goes_back_to_the_default() {
    let mut before = deal(7, "Booking");
    before.contacts.insert(id(301));
    before.owners = DealOwners::user(id(12));
    let org = with_deal(org(), before);
    let decision = add(
        &org,
        json!({
            "dealId": "7", "name": "Booking", "value": null, "currency": null, "description": null, "category": null,
            "package": null, "closeDate": null, "owner_opportunity": null, "permit": null, "cusFields": null,
            "contacts": null,
        }),
    );
    let after = changed(&decision);
    let expected = Deal {
        value: None,
        currency: "VND".to_owned(),
        description: None,
        category: None,
        close_date: None,
        owners: DealOwners::user(id(11)),
        cus_fields: BTreeMap::new(),
        permit: Permit::Everybody,
        updated_at: DateTime::UNIX_EPOCH,
        ..deal(7, "Booking")
    };
    assert_eq!(*after, expected);
}

#[test]
fn in_a_change_null_clears_a_custom_field() {
    let data = json!({"dealId": "7", "name": "Booking", "cusFields": [{"name": "Channel", "value": null}]});
    assert_eq!(changed(&add(&org_with_deal(), data)).cus_fields, BTreeMap::new());
}

#[test]
fn a_customer_is_found_by_his_code_before_anything_else() {
    let other = Identity::new(World::Customer, IdentityKind::ContactId, "77");
    let org = org().holding("PID-2", "Other", &[other]);
    for (with, found) in [
        (json!({"customerId": "pid-1", "contactId": 77}), id(101)),
        (json!({"contactId": 77, "emails": [{"value": "huy@x.com"}]}), id(102)),
    ] {
        assert_eq!(made(&add(&org, new(json!({"dealWith": with})))).deal_with, Some(found));
    }
}

#[test]
fn a_change_is_told_with_old_and_new_values_and_on_the_customer() {
    let decision = add(
        &org_with_deal(),
        json!({"dealId": "7", "name": "Booking", "value": 5.5, "stage": "Won",
               "cusFields": [{"name": "Channel", "value": "Web"}],
               "contacts": [{"contactType": "lead", "customerId": "LID-1"}]}),
    );
    let changes = json!({"changes": {
        "value": {"old": "5", "new": "5.5"}, "stage": {"old": "New", "new": "Won"},
        "cusFields": {"old": {"Channel": "Shop"}, "new": {"Channel": "Web"}},
        "contacts": {"old": [], "new": ["LID-1"]},
    }});
    let told = json!({"deal": {"id": id(907), "dealId": "7"}});
    assert_eq!(
        lines(&decision),
        [
            (Subject::Deal(id(907)), HistoryKind::Updated, changes),
            (Subject::Customer(id(101)), HistoryKind::DealUpdated, told.clone()),
            (Subject::Customer(id(301)), HistoryKind::DealAdded, told),
        ]
    );
}

#[test]
fn a_change_replaces_the_owners_and_adds_to_the_contacts() {
    let mut before = deal(7, "Booking");
    before.contacts.insert(id(101));
    let decision = add(
        &with_deal(org(), before),
        json!({"dealId": "7", "name": "Booking", "owner_opportunity": {"groups": ["Sales"]},
               "contacts": [{"contactType": "lead", "emails": [{"value": "lead@x.com"}]}]}),
    );
    let after = changed(&decision);
    assert_eq!(after.owners, DealOwners { users: Vec::new(), groups: vec![id(21)] });
    assert_eq!(after.contacts, BTreeSet::from([id(101), id(301)]));
}

#[test]
fn who_is_nobody_yet_is_made_with_the_listeners_defaults_and_welcomed() {
    let mut org = org().welcoming();
    org.listener.default_tag = Some(id(71));
    let decision = add(
        &org,
        new(
            json!({"dealWith": {"name": "New", "emails": [{"value": "new@x.com"}], "companyContact": {"name": "ACME"}}}),
        ),
    );
    let [company, contact] = customers(&decision)[..] else { panic!("{decision:#?}") };
    assert_eq!((contact.source, &contact.tags[..]), (Some(id(31)), &[id(71)][..]));
    assert_eq!(contact.company, Some(company.id));
    assert_eq!(made(&decision).deal_with, Some(contact.id));
    let roles: Vec<Role> = decision.outcome.related.iter().map(|related| related.role).collect();
    assert_eq!(roles, [Role::DealWith(Link::Created), Role::CompanyCreated]);
    assert!(lines(&decision).iter().any(|(_, kind, _)| *kind == HistoryKind::EmailQueued));
}

/// Without a look at what the action itself has made, these would be two people, two tags and two
/// companies, and the request would be refused by the database for ever.
#[test]
fn the_same_new_person_named_twice_is_made_once_and_so_are_tags_and_companies() {
    let person = |email: &str| json!({"name": "New", "emails": [{"value": email}], "tag": "vip", "companyContact": {"name": "ACME"}});
    let decision = add(
        &org(),
        new(json!({"dealWith": person("new@x.com"),
                   "contacts": [person("NEW@x.com"), person("other@x.com"), {"emails": [{"value": "other@x.com"}]}]})),
    );
    let codes: Vec<&str> =
        customers(&decision).iter().map(|customer| customer.code.kind.prefix()).collect();
    assert_eq!(codes, ["CID", "PID", "PID"]);
    let tags = decision.changes.iter().filter(|change| matches!(change, Change::TagCreated(_)));
    assert_eq!(tags.count(), 1);
    let roles: Vec<Role> = decision.outcome.related.iter().map(|related| related.role).collect();
    assert_eq!(
        roles,
        [
            Role::DealWith(Link::Created),
            Role::CompanyCreated,
            Role::Contact(Link::Linked),
            Role::Contact(Link::Created),
            Role::CompanyLinked,
        ]
    );
    let added = lines(&decision).iter().filter(|line| line.1 == HistoryKind::DealAdded).count();
    assert_eq!(added, 2);
}

#[test]
fn an_unknown_code_is_a_warning_and_the_search_goes_on() {
    for code in ["PID-404", "whoever"] {
        let decision = add(
            &org(),
            new(json!({"dealWith": {"customerId": code, "emails": [{"value": "huy@x.com"}]}})),
        );
        assert_eq!(made(&decision).deal_with, Some(id(101)));
        let at = "/data/0/data/dealWith/customerId";
        assert_eq!(warnings(&decision), [(Code::UnknownCustomer, at)]);
    }
}

#[test]
fn the_documented_template_links_the_lead_of_its_code() {
    let decision = add(
        &org(),
        new(json!({"dealWith": {
            "type": 0, "name": "Nguyen viet huy", "lastname": "", "title": "", "customerId": "LID-1",
            "contactType": "lead", "passport": "", "gender": "", "dateOfBirth": "",
            "emails": [{"value": "huy@gmail.com"}], "phones": [{"value": "0987654321"}],
            "addresses": [{"street": "street", "city": "city", "country": "country"}],
            "websites": [], "im": [], "tag": "",
        }})),
    );
    assert_eq!(made(&decision).deal_with, Some(id(301)));
    assert_eq!(decision.outcome.warnings, []);
}

#[test]
fn unknown_names_are_skipped_where_the_listener_says_so() {
    let unknown = json!({
        "stage": "x", "category": "x", "package": "x",
        "owner_opportunity": {"users": ["x@y.z"], "groups": ["x"]}, "permit": {"status": 3, "group": "x"},
        "cusFields": [{"name": "x", "value": "y"}],
    });
    let decision = add(&org().skipping_unknown_references(), new(unknown.clone()));
    let new_one = made(&decision);
    assert_eq!((new_one.stage, new_one.currency.as_str()), (id(61), "VND"));
    assert_eq!((new_one.category, new_one.package), (None, None));
    assert_eq!(new_one.owners, DealOwners::user(id(11)));
    assert_eq!(new_one.permit, Permit::OnlyMe);
    assert_eq!(decision.outcome.warnings.len(), 7);

    let mut won = deal(7, "Booking");
    won.stage = id(62);
    let org = with_deal(org(), won).skipping_unknown_references();
    let mut data = unknown;
    data["dealId"] = json!("7");
    data["name"] = json!("Booking");
    let decision = add(&org, data);
    assert_eq!(decision.outcome.status, Status::Unchanged, "{:#?}", decision.changes);
}

/// The amount would become one of another currency.
#[test]
fn an_unknown_currency_is_a_fault_even_where_unknown_names_are_skipped() {
    let faults = org()
        .skipping_unknown_references()
        .faults("add-deal", new(json!({"value": 5, "currency": "EUR"})));
    assert_eq!(faults, [("unknown_currency".to_owned(), "/data/0/data/currency".to_owned())]);
}
