use crate::actions::testing::{TestOrg, id, record};
use crate::batch::{Change, Decision, Role, Status};
use crate::diagnostics::Code;
use crate::records::customer::{
    Address, AddressType, ContactType, CountryEntry, Customer, EmailEntry, Im, ImProtocol,
    PhoneEntry, Website,
};
use crate::records::history::HistoryKind;
use crate::records::permit::Permit;
use serde_json::{Value, json};

mod identity;

/// PID-1, with something in every field.
fn huy() -> Customer {
    Customer {
        lastname: Some("Nguyen".to_owned()),
        title: Some("Dr".to_owned()),
        contact_id: Some("ext-1".to_owned()),
        passport: Some("b 12-34".to_owned()),
        gender: 0,
        bg_info: Some("info".to_owned()),
        date_of_birth: chrono::NaiveDate::from_ymd_opt(1993, 1, 1),
        emails: vec![EmailEntry { r#type: ContactType::Work, value: "Huy@x.com".to_owned() }],
        phones: vec![PhoneEntry {
            r#type: ContactType::Mobile,
            value: "0905000001".to_owned(),
            e164: Some("+84905000001".to_owned()),
        }],
        addresses: vec![Address {
            r#type: AddressType::Home,
            street: Some("58 Ton That Dam".to_owned()),
            city: None,
            state: None,
            zip: None,
            country: Some(CountryEntry { code: Some("VN".to_owned()), name: "Vietnam".to_owned() }),
        }],
        websites: vec![Website { value: "Huy.com".to_owned() }],
        im: vec![Im { protocol: ImProtocol::Skype, value: "huy".to_owned() }],
        cus_fields: [(id(41), "Cong".to_owned())].into(),
        permit: Permit::OnlyMe,
        company: Some(id(201)),
        tags: vec![id(61)],
        ..record("PID-1", "Huy")
    }
}

fn with_email(code: &str, name: &str, email: &str) -> Customer {
    let value = email.to_owned();
    Customer {
        emails: vec![EmailEntry { r#type: ContactType::Other, value }],
        ..record(code, name)
    }
}

fn org() -> TestOrg {
    TestOrg::new().keeping(record("CID-1", "Acme Co")).keeping(huy()).with_tag("VIP", id(61))
}

fn update(org: &TestOrg, data: Value) -> Decision {
    org.decide("update-contact", data).expect("the action has no fault")
}

/// The record as the action leaves it.
fn changed(decision: &Decision) -> &Customer {
    let change = decision.changes.iter().find_map(|change| match change {
        Change::CustomerChanged(customer) => Some(&**customer),
        _ => None,
    });
    change.expect("the record was changed")
}

fn lines(decision: &Decision) -> Vec<(HistoryKind, Value)> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::HistoryAdded(line) => Some((line.event.kind(), line.event.details())),
            _ => None,
        })
        .collect()
}

/// What the line of kind `updated` says.
fn told(decision: &Decision) -> Value {
    let (kind, mut details) = lines(decision).swap_remove(0);
    assert_eq!(kind, HistoryKind::Updated);
    details["changes"].take()
}

fn released(decision: &Decision) -> Vec<&str> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::IdentityReleased(identity) => Some(identity.value.as_str()),
            _ => None,
        })
        .collect()
}

fn claimed(decision: &Decision) -> Vec<(&str, bool)> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::IdentityClaimed(claim) => {
                Some((claim.identity.value.as_str(), claim.exclusive))
            }
            _ => None,
        })
        .collect()
}

fn code(decision: &Decision) -> String {
    decision.outcome.record.as_ref().unwrap().name.code().unwrap()
}

fn expect_faults(org: &TestOrg, data: Value, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(code, place)| ((*code).to_owned(), format!("/data/0/data{place}")))
        .collect();
    let shown = data.to_string();
    assert_eq!(org.faults("update-contact", data), expected, "{shown}");
}

#[test]
fn what_is_absent_or_blank_stays_as_it_is_and_nothing_is_told() {
    let decision = update(
        &org(),
        json!({
            "customerId": "PID-1", "name": "", "lastname": "", "title": " ", "passport": "", "contactId": "",
            "gender": "", "bgInfo": "", "dateOfBirth": "", "emails": [], "phones": [{"value": ""}],
            "addresses": [{"street": ""}], "websites": "", "im": [], "tag": " , ",
            "cusFields": [{"name": "Referred By", "value": ""}], "permit": {}, "companyContact": {"name": ""},
            "type": 0,
        }),
    );
    assert_eq!(decision.outcome.status, Status::Unchanged);
    assert_eq!(decision.changes, []);
    assert_eq!(decision.outcome.warnings, []);
}

#[test]
fn what_is_there_already_is_unchanged_however_it_is_spelt() {
    let decision = update(
        &org(),
        json!({
            "name": "Huy", "contactId": "ext-1", "emails": [{"value": "HUY@X.com"}],
            "phones": [{"value": "+84 905 000 001"}], "addresses": [{"street": "58 TON THAT DAM", "country": "VN"}],
            "websites": ["huy.COM"], "im": [{"protocol": "skype", "value": "HUY"}], "tag": "vip",
            "cusFields": [{"name": "referred by", "value": "Cong"}], "permit": {"status": 2},
            "companyContact": {"name": "ACME CO"}, "dateOfBirth": "1993-01-01",
        }),
    );
    assert_eq!(decision.outcome.status, Status::Unchanged);
    assert_eq!(decision.changes, []);
    assert_eq!(decision.outcome.related[0].role, Role::CompanyLinked);
}

#[test]
fn null_clears_and_lets_the_identities_go() {
    let decision = update(
        &org(),
        json!({
            "customerId": "PID-1", "lastname": null, "title": null, "passport": null, "contactId": null,
            "gender": null, "bgInfo": null, "dateOfBirth": null, "emails": null, "phones": null,
            "addresses": null, "websites": null, "im": null, "tag": null, "cusFields": null,
            "permit": null, "companyContact": null, "type": null,
        }),
    );
    let expected = Customer {
        created_at: huy().created_at,
        updated_at: chrono::DateTime::UNIX_EPOCH,
        ..record("PID-1", "Huy")
    };
    assert_eq!(*changed(&decision), expected);
    assert_eq!(released(&decision), ["ext-1", "B1234", "huy@x.com", "+84905000001"]);
    assert_eq!(claimed(&decision), []);
    assert_eq!(lines(&decision).len(), 1, "to lose the company is no link");
    assert_eq!(told(&decision)["companyContact"], json!({"old": "CID-1", "new": null}));
    assert_eq!(told(&decision)["tag"], json!({"old": ["VIP"], "new": []}));
    assert_eq!(told(&decision)["gender"], json!({"old": 0, "new": 2}));
}

#[test]
fn a_name_cannot_be_cleared() {
    expect_faults(&org(), json!({"customerId": "PID-1", "name": null}), &[("required", "/name")]);
}

#[test]
fn fields_are_set_and_lists_gain_what_they_did_not_hold() {
    let decision = update(
        &org(),
        json!({
            "customerId": "pid-1", "name": "Hung", "lastname": "Tran", "gender": "1", "bgInfo": "more",
            "dateOfBirth": "1994-02-02", "emails": [{"value": "new@x.com"}],
            "phones": [{"type": "Home", "value": "0905000002"}],
            "addresses": [{"city": "Hue"}], "websites": ["hung.com"], "im": [{"protocol": "Viber", "value": "huy"}],
            "permit": {"status": 3, "group": "Sales"},
        }),
    );
    let now = changed(&decision);
    assert_eq!(decision.outcome.status, Status::Updated);
    assert_eq!((now.name.as_str(), now.lastname.as_deref(), now.gender), ("Hung", Some("Tran"), 1));
    assert_eq!(now.title.as_deref(), Some("Dr"), "what was not sent stays");
    let emails: Vec<_> = now.emails.iter().map(|e| (e.r#type, e.value.as_str())).collect();
    assert_eq!(emails, [(ContactType::Work, "Huy@x.com"), (ContactType::Other, "new@x.com")]);
    assert_eq!((now.phones.len(), now.addresses.len()), (2, 2));
    assert_eq!((now.websites.len(), now.im.len()), (2, 2));
    assert_eq!(now.permit, Permit::MeAndGroup(id(21)));
    assert_eq!(now.owner, huy().owner, "the owner stays");
    assert_eq!(claimed(&decision), [("new@x.com", true), ("+84905000002", true)]);
    assert_eq!(released(&decision), Vec::<&str>::new());
}

#[test]
fn an_entry_with_the_same_value_takes_the_type_that_is_said() {
    for (said, r#type) in [
        (json!({"type": "Home"}), ContactType::Home),
        (json!({"type": null}), ContactType::Other),
        (json!({"type": ""}), ContactType::Work),
        (json!({}), ContactType::Work),
    ] {
        let mut email = said.clone();
        email["value"] = json!("huy@X.COM");
        let decision =
            update(&org(), json!({"customerId": "PID-1", "title": "Prof", "emails": [email]}));
        let emails = &changed(&decision).emails;
        assert_eq!((emails.len(), emails[0].r#type), (1, r#type), "{said}");
        assert_eq!(emails[0].value, "Huy@x.com");
        assert_eq!(claimed(&decision), []);
    }
    let address = json!({"type": "Work", "street": "58 ton that dam", "country": {"code": "VN"}});
    let decision = update(&org(), json!({"customerId": "PID-1", "addresses": [address]}));
    assert_eq!(changed(&decision).addresses.len(), 1);
    assert_eq!(changed(&decision).addresses[0].r#type, AddressType::Work);
}

#[test]
fn tags_are_added_and_custom_fields_set_or_cleared_by_name() {
    let decision = update(
        &org(),
        json!({"customerId": "PID-1", "tag": "vip, Fresh",
               "cusFields": [{"name": "Pet", "value": "dog"}, {"name": "Referred By", "value": null}]}),
    );
    let now = changed(&decision);
    assert_eq!((now.tags.len(), now.tags[0]), (2, id(61)));
    assert_eq!(now.cus_fields, [(id(42), "Dog".to_owned())].into());
    assert!(
        decision
            .changes
            .iter()
            .any(|change| matches!(change, Change::TagCreated(tag) if tag.name == "Fresh"))
    );
    assert_eq!(
        told(&decision),
        json!({
            "tag": {"old": ["VIP"], "new": ["VIP", "Fresh"]},
            "cusFields": {"old": {"Pet": null, "Referred By": "Cong"}, "new": {"Pet": "Dog", "Referred By": null}},
        })
    );
}

#[test]
fn custom_fields_given_as_an_object_are_set_or_cleared_by_name() {
    for (fields, kept) in [
        (json!({"pet": "dog", "Referred By": null}), vec![(id(42), "Dog".to_owned())]),
        (json!({"Referred By": null}), vec![]),
    ] {
        let decision = update(&org(), json!({"customerId": "PID-1", "cusFields": fields}));
        assert_eq!(changed(&decision).cus_fields, kept.into_iter().collect(), "{fields}");
    }
    let blank = update(&org(), json!({"customerId": "PID-1", "cusFields": {"Referred By": ""}}));
    assert_eq!(blank.outcome.status, Status::Unchanged);
}

#[test]
fn history_tells_old_and_new_in_the_listeners_words() {
    let decision = update(
        &org(),
        json!({"customerId": "PID-1", "name": "Hung", "passport": "C9",
               "permit": {"status": 4, "users": ["bob@acme.test"]}}),
    );
    assert_eq!(
        told(&decision),
        json!({
            "name": {"old": "Huy", "new": "Hung"},
            "passport": {"old": "b 12-34", "new": "C9"},
            "permit": {"old": {"status": 2, "group": null, "users": []},
                       "new": {"status": 4, "group": null, "users": ["bob@acme.test"]}},
        })
    );
}

#[test]
fn a_company_is_found_or_made_and_linked_with_a_line() {
    let org = org().keeping(record("CID-2", "Beta"));
    let found = update(
        &org,
        json!({"customerId": "PID-1", "companyContact": {"customerId": "CID-2", "name": "Acme Co"}}),
    );
    assert_eq!(found.outcome.related[0].role, Role::CompanyLinked);
    assert_eq!(changed(&found).company, Some(id(202)));
    assert_eq!(told(&found)["companyContact"], json!({"old": "CID-1", "new": "CID-2"}));
    assert_eq!(lines(&found)[1].0, HistoryKind::CompanyLinked);
    assert_eq!(lines(&found)[1].1["company"]["code"], "CID-2");

    let made = update(
        &org,
        json!({"customerId": "PID-1", "companyContact": {"name": "Fresh", "emails": [{"value": "huy@x.com"}]}}),
    );
    let company = &made.outcome.related[0];
    assert_eq!(company.role, Role::CompanyCreated);
    assert_eq!(changed(&made).company, Some(company.record.id));
    assert_eq!(made.outcome.warnings[0].code, Code::IdentifierShared);
    let kinds: Vec<HistoryKind> = lines(&made).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [HistoryKind::Created, HistoryKind::Updated, HistoryKind::CompanyLinked],
        "the company's own line first"
    );
    let nameless =
        json!({"customerId": "PID-1", "companyContact": {"emails": [{"value": "c@x.com"}]}});
    expect_faults(&org, nameless, &[("company_name_required", "/companyContact/name")]);
}

#[test]
fn an_account_takes_the_custom_fields_of_accounts_and_no_company() {
    let decision = update(
        &org(),
        json!({"customerId": "CID-1", "cusFields": [{"name": "Industry", "value": "IT"}],
               "companyContact": {"name": "Other"}}),
    );
    assert_eq!(changed(&decision).cus_fields[&id(43)], "IT");
    let warnings: Vec<_> =
        decision.outcome.warnings.iter().map(|w| (w.code, w.pointer.as_str())).collect();
    assert_eq!(warnings, [(Code::IgnoredField, "/data/0/data/companyContact")]);
    let contacts = json!({"customerId": "CID-1", "cusFields": [{"name": "Pet", "value": "Dog"}]});
    expect_faults(&org(), contacts, &[("unknown_custom_field", "/cusFields/0/name")]);
}

#[test]
fn what_only_the_record_shows_is_told_beside_the_faults_of_reading() {
    let org = org().keeping(with_email("PID-2", "A", "a@x.com"));
    expect_faults(
        &org,
        json!({"customerId": "PID-1", "gender": 9, "emails": [{"value": "a@x.com"}],
               "cusFields": [{"name": "Pet", "value": "Cow"}], "companyContact": {"phones": [{"value": "0905000009"}]}}),
        &[
            ("invalid_choice", "/gender"),
            ("invalid_custom_value", "/cusFields/0/value"),
            ("company_name_required", "/companyContact/name"),
            ("identifier_taken", "/emails/0/value"),
        ],
    );
}

#[test]
fn a_failed_update_changes_nothing_for_those_after_it() {
    let org = org().keeping(with_email("PID-2", "A", "a@x.com"));
    let results = org.decide_all(&[
        (
            "update-contact",
            json!({"customerId": "PID-1", "title": "X", "emails": [{"value": "a@x.com"}]}),
        ),
        ("update-contact", json!({"customerId": "PID-1", "lastname": "Le"})),
    ]);
    assert!(results[0].is_err());
    assert_eq!(changed(results[1].as_ref().unwrap()).title.as_deref(), Some("Dr"));
}

#[test]
fn two_updates_of_one_record_in_a_batch_see_each_other() {
    let results = org().decide_all(&[
        (
            "update-contact",
            json!({"customerId": "PID-1", "name": "Hung", "emails": [{"value": "n@x.com"}], "tag": "a"}),
        ),
        ("update-contact", json!({"emails": [{"value": "N@x.com"}], "title": "Prof", "tag": "A, b"})),
        ("update-contact", json!({"name": "Hung", "contactId": "ext-2"})),
        ("update-contact", json!({"contactId": "ext-2", "title": "Prof"})),
        ("update-contact", json!({"contactId": "ext-1"})),
    ]);
    let [first, second, third, fourth, fifth] = results.try_into().unwrap();
    assert_eq!(changed(&first.unwrap()).title.as_deref(), Some("Dr"));
    let second = second.unwrap();
    assert_eq!((changed(&second).name.as_str(), changed(&second).tags.len()), ("Hung", 3));
    assert_eq!(told(&second)["tag"], json!({"old": ["VIP", "a"], "new": ["VIP", "a", "b"]}));
    assert_eq!(code(&third.unwrap()), "PID-1", "the new name finds it");
    assert_eq!(fourth.unwrap().outcome.status, Status::Unchanged);
    assert_eq!(fifth.unwrap_err().faults[0].code, Code::NotFound, "it let that one go");
}

#[test]
fn a_record_that_the_batch_made_can_be_updated_and_is_named_by_its_tags() {
    let mut org = TestOrg::new().with_tag("Default", id(63));
    org.listener.default_tag = Some(id(63));
    let results = org.decide_all(&[
        ("add-contact", json!({"name": "Ann", "emails": [{"value": "ann@x.com"}]})),
        ("update-contact", json!({"emails": [{"value": "ann@x.com"}], "tag": "VIP"})),
    ]);
    let [made, updated] = results.try_into().unwrap();
    let (made, updated) = (made.unwrap(), updated.unwrap());
    assert_eq!(updated.outcome.record, made.outcome.record);
    assert_eq!(told(&updated)["tag"], json!({"old": ["Default"], "new": ["Default", "VIP"]}));
}

/// Otherwise a batch that adds to one record again and again would repeat thousands of entries in
/// thousands of lines.
#[test]
fn of_a_long_list_history_tells_only_the_entries_that_differ() {
    let emails: Vec<Value> =
        (0..100).map(|i| json!({"type": "Home", "value": format!("p{i}@x.com")})).collect();
    let results = org().decide_all(&[
        ("update-contact", json!({"customerId": "PID-1", "emails": emails})),
        (
            "update-contact",
            json!({"customerId": "PID-1", "emails": [{"type": "Work", "value": "p7@x.com"}, {"value": "n@x.com"}]}),
        ),
    ]);
    let [_, second] = results.try_into().unwrap();
    assert_eq!(
        told(&second.unwrap())["emails"],
        json!({
            "old": [{"type": "Home", "value": "p7@x.com"}],
            "new": [{"type": "Work", "value": "p7@x.com"}, {"type": "Other", "value": "n@x.com"}],
        })
    );
}
