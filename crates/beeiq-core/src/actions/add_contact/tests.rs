use crate::actions::testing::{TestOrg, id};
use crate::batch::{Change, Decision, Rejection, Role, Status};
use crate::diagnostics::Code;
use crate::records::customer::{ContactType, Customer, CustomerKind};
use crate::records::history::HistoryKind;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::message::Content;
use crate::records::permit::Permit;
use serde_json::{Value, json};

fn identity(kind: IdentityKind, value: &str) -> Identity {
    Identity::new(World::Customer, kind, value)
}

fn email(value: &str) -> Identity {
    identity(IdentityKind::Email, value)
}

fn created(decision: &Decision) -> Vec<&Customer> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::CustomerCreated(customer) => Some(&**customer),
            _ => None,
        })
        .collect()
}

fn contact(decision: &Decision) -> &Customer {
    created(decision).into_iter().find(|c| c.code.kind == CustomerKind::Contact).unwrap()
}

fn lines(decision: &Decision) -> Vec<HistoryKind> {
    decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::HistoryAdded(line) => Some(line.event.kind()),
            _ => None,
        })
        .collect()
}

fn warnings(decision: &Decision) -> Vec<(Code, &str)> {
    decision.outcome.warnings.iter().map(|w| (w.code, w.pointer.as_str())).collect()
}

fn add(org: &TestOrg, data: Value) -> Decision {
    org.decide("add-contact", data).expect("the action has no fault")
}

#[test]
fn a_person_is_made_with_every_field_that_was_sent() {
    let decision = add(
        &TestOrg::new(),
        json!({
            "type": "0", "name": "  Huy ", "lastname": "Nguyen", "title": "Dr", "passport": "b 12-34",
            "gender": 1, "bgInfo": "info", "dateOfBirth": "Fri Jan 01 1993 00:00:00 GMT+0700 (ICT)",
            "emails": [{"type": "work", "value": "Huy@Example.com"}], "phones": [{"value": "0905000001"}],
            "addresses": [{"street": "58 Ton That Dam", "country": "VN"}], "websites": ["htk-inc.com"],
            "im": [{"protocol": "facebook", "value": "huy"}], "contactId": 77,
            "cusFields": [{"name": "referred by", "value": "Cong"}, {"name": "Pet", "value": "cat|Dog"}],
            "permit": {"status": 3, "group": "sales"},
        }),
    );
    let made = contact(&decision);
    assert_eq!(decision.outcome.status, Status::Created);
    assert_eq!(made.name, "Huy");
    assert_eq!(made.contact_id.as_deref(), Some("77"));
    assert_eq!(made.passport.as_deref(), Some("b 12-34"));
    assert_eq!(made.date_of_birth.unwrap().to_string(), "1993-01-01");
    assert_eq!(made.emails[0].r#type, ContactType::Work);
    assert_eq!(made.emails[0].value, "Huy@Example.com");
    assert_eq!(made.phones[0].e164.as_deref(), Some("+84905000001"));
    let country = made.addresses[0].country.as_ref().unwrap();
    assert_eq!((country.code.as_deref(), country.name.as_str()), (Some("VN"), "Vietnam"));
    assert_eq!(made.websites[0].value, "htk-inc.com");
    assert_eq!(made.permit, Permit::MeAndGroup(id(21)));
    assert_eq!(made.cus_fields[&id(41)], "Cong");
    assert_eq!(made.cus_fields[&id(42)], "Cat|Dog");
    assert_eq!(made.source, Some(id(31)));
    assert_eq!(made.owner, id(11));
    assert_eq!(warnings(&decision), []);
}

#[test]
fn it_comes_to_hold_every_identifier_in_its_normal_form() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "contactId": "Ab", "passport": "b 12-34", "emails": [{"value": "Huy@Exämple.com"}],
               "phones": [{"value": "01234567890"}, {"value": "+84 83 456 7890"}]}),
    );
    let mut claimed: Vec<String> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::IdentityClaimed(claim) => Some(claim.identity.value.clone()),
            _ => None,
        })
        .collect();
    claimed.sort();
    assert_eq!(claimed, ["+84834567890", "Ab", "B1234", "huy@xn--exmple-cua.com"]);
    assert_eq!(contact(&decision).phones.len(), 1, "the two spellings are one number");
}

#[test]
fn whoever_holds_any_identifier_makes_it_a_duplicate_and_the_first_in_order_names_it() {
    let org = TestOrg::new()
        .holding("PID-1", "A", &[email("a@x.com")])
        .holding("PID-2", "B", &[identity(IdentityKind::Phone, "+84905000001")])
        .holding("CID-3", "C", &[identity(IdentityKind::Passport, "P1")])
        .holding("PID-4", "D", &[identity(IdentityKind::ContactId, "ext-4")]);
    let all = json!({"name": "x", "contactId": "ext-4", "passport": "p-1",
        "emails": [{"value": "A@X.com"}], "phones": [{"value": "0905000001"}]});
    let without = |fields: &[&str]| {
        let mut data = all.clone();
        for field in fields {
            data.as_object_mut().unwrap().remove(*field);
        }
        data
    };
    for (data, matched_by, code, candidates) in [
        (without(&[]), "contactId", "PID-4", 3),
        (without(&["contactId"]), "passport", "CID-3", 2),
        (without(&["contactId", "passport"]), "email", "PID-1", 1),
        (without(&["contactId", "passport", "emails"]), "phone", "PID-2", 0),
    ] {
        let decision = add(&org, data);
        assert_eq!(decision.outcome.status, Status::Duplicate);
        assert_eq!(decision.outcome.matched_by.unwrap().as_str(), matched_by);
        assert_eq!(decision.outcome.record.as_ref().unwrap().name.code().unwrap(), code);
        assert_eq!(decision.outcome.related.len(), candidates);
        assert!(decision.outcome.related.iter().all(|one| one.role == Role::Candidate));
        assert_eq!(lines(&decision), [HistoryKind::DuplicateSkipped], "one line, and nothing else");
        assert_eq!(decision.changes.len(), 1);
    }
}

#[test]
fn a_lead_with_the_same_email_does_not_make_a_contact_a_duplicate() {
    let lead = Identity::new(World::Lead, IdentityKind::Email, "a@x.com");
    let org = TestOrg::new().holding("LID-1", "A", &[lead]);
    let decision = add(&org, json!({"name": "x", "emails": [{"value": "a@x.com"}]}));
    assert_eq!(decision.outcome.status, Status::Created);
}

#[test]
fn a_duplicate_brings_no_tag_company_or_message() {
    let org = TestOrg::new().welcoming().holding("PID-1", "A", &[email("a@x.com")]);
    let decision = add(
        &org,
        json!({"name": "x", "emails": [{"value": "a@x.com"}], "tag": "new", "companyContact": {"name": "New Co"}}),
    );
    assert_eq!(decision.changes.len(), 1);
    assert_eq!(lines(&decision), [HistoryKind::DuplicateSkipped]);
}

#[test]
fn later_actions_of_a_batch_see_what_earlier_ones_made() {
    let org = TestOrg::new();
    let person = |tag: &str, email: &str| {
        (
            "add-contact",
            json!({"name": "x", "tag": tag, "emails": [{"value": email}], "companyContact": {"name": "Acme Co"}}),
        )
    };
    let decisions: Vec<Decision> = org
        .decide_all(&[person("VIP", "a@x.com"), person("vip", "b@x.com"), person("vip", "A@X.COM")])
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let company = &decisions[0].outcome.related[0];
    assert_eq!(company.role, Role::CompanyCreated);
    assert_eq!(decisions[1].outcome.related[0].role, Role::CompanyLinked);
    assert_eq!(decisions[1].outcome.related[0].record, company.record);
    assert_eq!(contact(&decisions[0]).tags, contact(&decisions[1]).tags);
    assert_eq!(decisions[2].outcome.status, Status::Duplicate);
    assert_eq!(decisions[2].outcome.record, decisions[0].outcome.record);
}

#[test]
fn every_fault_of_an_action_is_told_with_its_place() {
    let faults = TestOrg::new().faults(
        "add-contact",
        json!({
            "type": 2, "gender": "x", "dateOfBirth": "yesterday", "emails": [{"value": "ok@x.com"}, {"value": "nope"}],
            "phones": [{"type": "Fax", "value": "0905000001"}, {"value": "abc"}], "passport": "--",
            "im": {"protocol": "Skype", "value": "x"}, "title": ["x"], "bgInfo": "a\u{0}b", "lastname": "x".repeat(256),
            "permit": {"status": 4, "users": ["ann@acme.test", "nobody@acme.test", "gone@acme.test"]},
            "cusFields": [{"name": "Pet", "value": "Cow"}, {"name": "Nope", "value": "1"}, {"value": "2"}],
            "companyContact": {"emails": [{"value": "c@x.com"}]},
        }),
    );
    let expected = [
        ("invalid_choice", "type"),
        ("required", "name"),
        ("too_long", "lastname"),
        ("wrong_type", "title"),
        ("invalid_value", "passport"),
        ("invalid_choice", "gender"),
        ("nul_character", "bgInfo"),
        ("invalid_date", "dateOfBirth"),
        ("invalid_email", "emails/1/value"),
        ("invalid_choice", "phones/0/type"),
        ("invalid_phone", "phones/1/value"),
        ("wrong_type", "im"),
        ("unknown_user", "permit/users/1"),
        ("unknown_user", "permit/users/2"),
        ("required", "cusFields/2/name"),
        ("invalid_custom_value", "cusFields/0/value"),
        ("unknown_custom_field", "cusFields/1/name"),
        ("company_name_required", "companyContact/name"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(code, place)| ((*code).to_owned(), format!("/data/0/data/{place}")))
        .collect();
    assert_eq!(faults, expected);
}

#[test]
fn a_payload_with_faults_is_failed_duplicate_or_not() {
    let org = TestOrg::new().holding("PID-1", "A", &[email("a@x.com")]);
    let Rejection { faults, .. } = org
        .decide("add-contact", json!({"emails": [{"value": "a@x.com"}]}))
        .expect_err("the name is missing");
    assert_eq!(faults[0].code, Code::Required);
}

#[test]
fn what_is_blank_is_absent() {
    let decision = add(
        &TestOrg::new(),
        json!({
            "name": "x", "lastname": "", "title": null, "passport": "  ", "gender": "", "dateOfBirth": "",
            "emails": [{"value": ""}, {}], "phones": [], "addresses": [{"type": "Work", "street": ""}],
            "websites": "", "im": [{"protocol": "Skype", "value": ""}], "tag": " , ", "cusFields": [],
            "permit": {}, "companyContact": {"name": "", "emails": [{"value": ""}], "websites": [{"value": ""}]},
        }),
    );
    let made = contact(&decision);
    assert_eq!(created(&decision).len(), 1, "no company");
    assert_eq!((made.gender, made.emails.len(), made.tags.len()), (2, 0, 0));
    assert_eq!(made.permit, Permit::Everybody);
    assert_eq!(warnings(&decision), []);
}

#[test]
fn what_is_not_used_is_warned_of() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "emial": [], "source": "Ads", "customerId": "PID-9", "companyLead": "G",
               "permit": {"status": 1, "group": "Sales"}, "emails": [{"value": "a@x.com", "kind": "x"}]}),
    );
    let mut told = warnings(&decision);
    told.sort_by_key(|(_, pointer)| *pointer);
    assert_eq!(
        told,
        [
            (Code::IgnoredField, "/data/0/data/companyLead"),
            (Code::IgnoredField, "/data/0/data/customerId"),
            (Code::UnknownField, "/data/0/data/emails/0/kind"),
            (Code::UnknownField, "/data/0/data/emial"),
            (Code::IgnoredField, "/data/0/data/permit/group"),
            (Code::IgnoredField, "/data/0/data/source"),
        ]
    );
    let misspelt = decision.outcome.warnings.iter().find(|w| w.pointer.ends_with("emial")).unwrap();
    assert!(misspelt.message.contains("`emails`"), "{}", misspelt.message);
}

#[test]
fn a_lead_is_told_which_action_adds_leads() {
    let rejection = TestOrg::new()
        .decide("add-contact", json!({"name": "x", "contactType": "lead"}))
        .expect_err("leads are added by add-lead");
    assert_eq!(rejection.faults[0].code, Code::WrongKind);
    assert!(rejection.faults[0].message.contains("add-lead"));
}

#[test]
fn unknown_references_are_dropped_where_the_listener_skips_them_and_no_permit_gets_wider() {
    let org = TestOrg::new().skipping_unknown_references();
    for (permit, kept) in [
        (json!({"status": 3, "group": "Nobody"}), Permit::OnlyMe),
        (json!({"status": 3}), Permit::OnlyMe),
        (json!({"status": 4, "users": ["nobody@acme.test"]}), Permit::OnlyMe),
        (
            json!({"status": 4, "users": ["nobody@acme.test", "BOB@acme.test"]}),
            Permit::MeAndUsers(vec![id(12)]),
        ),
    ] {
        let decision = add(
            &org,
            json!({"name": "x", "permit": permit, "cusFields": [{"name": "Nope", "value": "1"}]}),
        );
        assert_eq!(contact(&decision).permit, kept, "{permit}");
        assert_eq!(decision.outcome.warnings.len(), 2, "{permit}");
        assert!(contact(&decision).cus_fields.is_empty());
    }
}

#[test]
fn a_company_is_searched_by_code_then_name_then_email_then_phone_among_accounts_only() {
    let org = TestOrg::new()
        .holding("CID-1", "By Code", &[])
        .holding("CID-2", "By Name", &[])
        .holding("CID-3", "By Email", &[email("c@x.com")])
        .holding("CID-4", "By Phone", &[identity(IdentityKind::Phone, "+84905000001")])
        .holding("PID-5", "Person", &[email("p@x.com")]);
    let all = json!({"customerId": "cid-1", "name": "BY NAME", "emails": [{"value": "c@x.com"}],
        "phones": [{"value": "0905000001"}]});
    let without = |fields: &[&str]| {
        let mut data = all.clone();
        for field in fields {
            data.as_object_mut().unwrap().remove(*field);
        }
        data
    };
    for (company, code) in [
        (without(&[]), "CID-1"),
        (without(&["customerId"]), "CID-2"),
        (without(&["customerId", "name"]), "CID-3"),
        (without(&["customerId", "name", "emails"]), "CID-4"),
    ] {
        let decision = add(&org, json!({"name": "x", "companyContact": company}));
        let related = &decision.outcome.related[0];
        assert_eq!(related.role, Role::CompanyLinked);
        assert_eq!(related.record.name.code().unwrap(), code);
        assert_eq!(contact(&decision).company, Some(related.record.id));
        assert_eq!(lines(&decision), [HistoryKind::Created, HistoryKind::CompanyLinked]);
    }
    let person =
        json!({"name": "x", "companyContact": {"name": "Fresh", "emails": [{"value": "p@x.com"}]}});
    let decision = add(&org, person);
    assert_eq!(decision.outcome.related[0].role, Role::CompanyCreated, "a person is no company");
    assert_eq!(decision.outcome.warnings[0].code, Code::IdentifierShared);
}

#[test]
fn of_several_companies_of_a_name_the_one_also_pointed_to_is_taken_else_the_oldest_with_a_warning()
{
    let org =
        TestOrg::new().holding("CID-1", "Twin", &[]).holding("CID-2", "twin", &[email("c@x.com")]);
    let pointed = add(
        &org,
        json!({"name": "x", "companyContact": {"name": "TWIN", "emails": [{"value": "c@x.com"}]}}),
    );
    assert_eq!(pointed.outcome.related[0].record.name.code().unwrap(), "CID-2");
    assert_eq!(warnings(&pointed), []);
    let oldest = add(&org, json!({"name": "x", "companyContact": {"name": "TWIN"}}));
    assert_eq!(oldest.outcome.related[0].record.name.code().unwrap(), "CID-1");
    assert_eq!(warnings(&oldest), [(Code::AmbiguousCompany, "/data/0/data/companyContact/name")]);
}

#[test]
fn an_unknown_company_code_is_a_warning_and_one_of_another_kind_a_fault() {
    let org = TestOrg::new();
    let decision = add(
        &org,
        json!({"name": "x", "companyContact": {"customerId": "CID-77", "name": "Fresh"}}),
    );
    assert_eq!(decision.outcome.related[0].role, Role::CompanyCreated);
    assert_eq!(
        warnings(&decision),
        [(Code::UnknownCompany, "/data/0/data/companyContact/customerId")]
    );
    let faults = org.faults(
        "add-contact",
        json!({"name": "x", "companyContact": {"customerId": "PID-1", "name": "F"}}),
    );
    assert_eq!(
        faults,
        [("wrong_kind".to_owned(), "/data/0/data/companyContact/customerId".to_owned())]
    );
}

#[test]
fn a_company_made_by_the_way_gets_the_source_but_neither_tag_nor_message() {
    let mut org = TestOrg::new().welcoming();
    org.listener.default_tag = Some(id(61));
    let decision = add(
        &org,
        json!({"name": "x", "companyContact": {"name": "Fresh", "emails": [{"value": "c@x.com"}]}}),
    );
    let account =
        created(&decision).into_iter().find(|c| c.code.kind == CustomerKind::Account).unwrap();
    assert_eq!(account.source, Some(id(31)));
    assert!(account.tags.is_empty());
    assert_eq!(contact(&decision).tags, [id(61)]);
    assert!(!decision.changes.iter().any(|change| matches!(change, Change::MessageQueued(_))));
}

#[test]
fn an_identifier_of_the_company_that_is_the_contacts_own_does_not_identify_the_company() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "emails": [{"value": "a@x.com"}],
               "companyContact": {"name": "Fresh", "emails": [{"value": "A@x.com"}]}}),
    );
    let claims = decision
        .changes
        .iter()
        .filter(|change| matches!(change, Change::IdentityClaimed(claim) if claim.identity == email("a@x.com")))
        .count();
    assert_eq!(claims, 1);
    assert_eq!(warnings(&decision), [(Code::IdentifierShared, "/data/0/data/companyContact")]);
}

/// The company of the contact, which the action makes.
fn company(decision: &Decision) -> &Customer {
    created(decision).into_iter().find(|c| c.code.kind == CustomerKind::Account).unwrap()
}

#[test]
fn a_company_takes_every_field_that_a_contact_takes() {
    let mut org = TestOrg::new().with_tag("VIP", id(62));
    org.listener.default_tag = Some(id(61));
    let decision = add(
        &org,
        json!({"name": "x", "companyContact": {
            "type": 1, "name": " Fresh ", "lastname": "Ltd", "title": "HQ", "passport": "t 1-2",
            "gender": 1, "bgInfo": "info", "dateOfBirth": "1993-01-01",
            "emails": [{"type": "work", "value": "C@x.com"}], "phones": [{"value": "0905000001"}],
            "addresses": [{"street": "58 Ton That Dam", "country": "VN"}], "websites": ["x.com"],
            "im": [{"protocol": "skype", "value": "fresh"}], "tag": "vip", "contactId": 78,
            "cusFields": [{"name": "industry", "value": "IT"}],
            "permit": {"status": 3, "group": "sales"},
        }}),
    );
    let made = company(&decision);
    assert_eq!(
        *made,
        Customer {
            contact_id: Some("78".to_owned()),
            name: "Fresh".to_owned(),
            lastname: Some("Ltd".to_owned()),
            title: Some("HQ".to_owned()),
            passport: Some("t 1-2".to_owned()),
            gender: 1,
            bg_info: Some("info".to_owned()),
            date_of_birth: "1993-01-01".parse().ok(),
            cus_fields: [(id(43), "IT".to_owned())].into(),
            permit: Permit::MeAndGroup(id(21)),
            company: None,
            source: Some(id(31)),
            owner: id(11),
            tags: vec![id(62)],
            ..made.clone()
        }
    );
    assert_eq!(
        (made.emails[0].r#type, made.emails[0].value.as_str()),
        (ContactType::Work, "C@x.com")
    );
    assert_eq!(made.phones[0].e164.as_deref(), Some("+84905000001"));
    assert_eq!((made.addresses.len(), made.websites.len(), made.im.len()), (1, 1, 1));
    let held: Vec<&str> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::IdentityClaimed(claim) if claim.customer == made.id => {
                Some(claim.identity.value.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(held, ["fresh", "78", "T12", "c@x.com", "+84905000001"]);
    assert_eq!(warnings(&decision), []);
}

#[test]
fn every_fault_of_a_company_is_told_at_its_place() {
    let faults = TestOrg::new().faults(
        "add-contact",
        json!({"name": "x", "companyContact": {
            "name": "Fresh", "type": 7, "gender": 9, "passport": "--", "dateOfBirth": "soon",
            "cusFields": [{"name": "Pet", "value": "Dog"}], "title": "x".repeat(256),
        }}),
    );
    let mut told: Vec<(&str, &str)> = faults
        .iter()
        .map(|(code, at)| (code.as_str(), at.strip_prefix("/data/0/data/companyContact/").unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("invalid_choice", "gender"),
            ("invalid_choice", "type"),
            ("invalid_date", "dateOfBirth"),
            ("invalid_value", "passport"),
            ("too_long", "title"),
            ("unknown_custom_field", "cusFields/0/name"),
        ]
    );
}

#[test]
fn what_a_company_cannot_have_is_warned_of() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "companyContact": {
            "name": "Fresh", "type": 0, "contactType": "lead", "companyLead": "G", "source": "Ads",
            "companyContact": {"name": "Parent"},
        }}),
    );
    assert_eq!(created(&decision).len(), 2);
    let mut told = warnings(&decision);
    told.sort_by_key(|(_, pointer)| *pointer);
    let at = "/data/0/data/companyContact";
    let expected = [
        (Code::IgnoredField, "companyContact"),
        (Code::IgnoredField, "companyLead"),
        (Code::IgnoredField, "contactType"),
        (Code::IgnoredField, "source"),
        (Code::IgnoredField, "type"),
    ]
    .map(|(code, field)| (code, format!("{at}/{field}")));
    let told: Vec<(Code, String)> =
        told.into_iter().map(|(code, pointer)| (code, pointer.to_owned())).collect();
    assert_eq!(told, expected);
}

/// It is searched by code, name, e-mail and phone alone, so what else somebody holds leads nowhere.
#[test]
fn an_identifier_of_the_company_that_somebody_holds_does_not_identify_it() {
    let org = TestOrg::new()
        .holding("CID-3", "Third", &[identity(IdentityKind::Passport, "P1")])
        .holding("PID-4", "D", &[identity(IdentityKind::ContactId, "ext-4")])
        .holding("PID-5", "E", &[email("e@x.com")]);
    let decision = add(
        &org,
        json!({"name": "x", "phones": [{"value": "0905000001"}], "companyContact": {
            "name": "Fresh", "contactId": "ext-4", "passport": "p-1",
            "emails": [{"value": "e@x.com"}], "phones": [{"value": "0905 000 001"}],
        }}),
    );
    let made = company(&decision);
    assert_eq!(
        (made.contact_id.as_deref(), made.passport.as_deref()),
        (Some("ext-4"), Some("p-1"))
    );
    let claims = decision.changes.iter().filter(
        |change| matches!(change, Change::IdentityClaimed(claim) if claim.customer == made.id),
    );
    assert_eq!(claims.count(), 1, "its name alone");
    assert_eq!(warnings(&decision), [(Code::IdentifierShared, "/data/0/data/companyContact"); 4]);
    let messages: Vec<&str> =
        decision.outcome.warnings.iter().map(|warning| warning.message.as_str()).collect();
    for (message, whose) in messages.iter().zip(["PID-4", "CID-3", "PID-5", "the contact itself"]) {
        assert!(message.contains(whose), "{message}");
    }
}

#[test]
fn a_new_tag_of_the_company_and_its_contact_is_made_once() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "tag": "vip, own", "companyContact": {"name": "Fresh", "tag": "VIP"}}),
    );
    let made = decision.changes.iter().filter(|change| matches!(change, Change::TagCreated(_)));
    assert_eq!(made.count(), 2);
    assert_eq!(company(&decision).tags[..], contact(&decision).tags[..1]);
}

#[test]
fn custom_fields_may_be_given_as_an_object() {
    let decision = add(
        &TestOrg::new(),
        json!({"name": "x", "cusFields": {" referred by ": "Cong", "PET": ["cat", "Dog"]}}),
    );
    let expected = [(id(41), "Cong".to_owned()), (id(42), "Cat|Dog".to_owned())];
    assert_eq!(contact(&decision).cus_fields, expected.into());
    let blank =
        add(&TestOrg::new(), json!({"name": "x", "cusFields": {"Pet": "", "Referred By": null}}));
    assert!(contact(&blank).cus_fields.is_empty());
    assert_eq!(warnings(&blank), []);
    for (fields, code, at) in [
        (json!({"Pet": "Cow"}), "invalid_custom_value", "/Pet"),
        (json!({"Nope/x": "1"}), "unknown_custom_field", "/Nope~1x"),
        (json!({"Pet": {"name": "Dog"}}), "wrong_type", "/Pet"),
        (json!({"Pet": "a\u{0}b"}), "nul_character", "/Pet"),
        (json!({" ": "x"}), "required", "/ "),
        (json!("Dog"), "wrong_type", ""),
    ] {
        let faults =
            TestOrg::new().faults("add-contact", json!({"name": "x", "cusFields": fields}));
        let expected = (code.to_owned(), format!("/data/0/data/cusFields{at}"));
        assert_eq!(faults, [expected], "{fields}");
    }
}

#[test]
fn the_default_tag_is_given_unless_the_payload_brings_tags() {
    let mut org = TestOrg::new().with_tag("VIP", id(62));
    org.listener.default_tag = Some(id(61));
    assert_eq!(contact(&add(&org, json!({"name": "x"}))).tags, [id(61)]);
    assert_eq!(contact(&add(&org, json!({"name": "x", "tag": "vip, VIP"}))).tags, [id(62)]);
}

#[test]
fn an_account_uses_the_custom_fields_of_accounts_and_has_no_company() {
    let decision = add(
        &TestOrg::new(),
        json!({"type": 1, "name": "Co", "cusFields": [{"name": "Industry", "value": "IT"}],
               "companyContact": {"name": "Other"}}),
    );
    let made = created(&decision);
    assert_eq!(made.len(), 1);
    assert_eq!(
        (made[0].code.kind, made[0].cus_fields[&id(43)].as_str()),
        (CustomerKind::Account, "IT")
    );
    assert_eq!(warnings(&decision), [(Code::IgnoredField, "/data/0/data/companyContact")]);
}

#[test]
fn welcome_messages_go_to_the_first_email_and_the_first_phone() {
    let decision = add(
        &TestOrg::new().welcoming(),
        json!({"name": "<b>Ann</b>", "emails": [{"value": "a@x.com"}, {"value": "b@x.com"}],
               "phones": [{"value": "0905 000 001"}, {"value": "0905000002"}]}),
    );
    let messages: Vec<_> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::MessageQueued(message) => {
                let merge = message.merge.as_ref().unwrap();
                let content = message.wording.content.rendered(merge).unwrap();
                Some((message.recipient.as_str(), content, message.segments))
            }
            _ => None,
        })
        .collect();
    let code = contact(&decision).code;
    let html = format!("<p>Dear &lt;b&gt;Ann&lt;&#x2f;b&gt;, your code is {code}.</p>");
    assert_eq!(
        messages,
        [
            (
                "a@x.com",
                Content::Email { subject: "Welcome <b>Ann</b>".to_owned(), html, text: None },
                None
            ),
            ("+84905000001", Content::Sms { text: "Welcome to Acme".to_owned() }, Some(1)),
        ]
    );
    assert_eq!(
        lines(&decision),
        [HistoryKind::Created, HistoryKind::EmailQueued, HistoryKind::SmsQueued]
    );
}

#[test]
fn a_welcome_sms_goes_to_the_first_phone_that_can_take_one() {
    for (phones, recipient) in [
        (json!([{"value": "12345"}, {"value": "0905000002"}]), Some("+84905000002")),
        (json!([{"value": "02363888888"}, {"value": "0905000002"}]), Some("+84905000002")),
        (json!([{"value": "12345"}, {"value": "02363888888"}]), None),
    ] {
        let decision = add(&TestOrg::new().welcoming(), json!({"name": "x", "phones": phones}));
        let message = decision.changes.iter().find_map(|change| match change {
            Change::MessageQueued(message) => Some(message.recipient.as_str()),
            _ => None,
        });
        assert_eq!(message, recipient, "{phones}");
        let (line, warned) = match recipient {
            Some(_) => (HistoryKind::SmsQueued, vec![]),
            None => (HistoryKind::SmsFailed, vec![(Code::WelcomeSkipped, "/data/0/data")]),
        };
        assert_eq!(lines(&decision), [HistoryKind::Created, line], "{phones}");
        assert_eq!(warnings(&decision), warned, "{phones}");
    }
}

#[test]
fn without_an_address_there_is_no_message_and_nothing_to_say_about_it() {
    let decision = add(&TestOrg::new().welcoming(), json!({"name": "x"}));
    assert_eq!(lines(&decision), [HistoryKind::Created]);
    assert_eq!(warnings(&decision), []);
}

#[test]
fn without_credits_the_customer_is_made_all_the_same() {
    let org = TestOrg::new().welcoming().with_sms_credits(1);
    let person = |phone: &str| ("add-contact", json!({"name": "x", "phones": [{"value": phone}]}));
    let decisions: Vec<Decision> = org
        .decide_all(&[person("0905000001"), person("0905000002")])
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(lines(&decisions[0]), [HistoryKind::Created, HistoryKind::SmsQueued]);
    assert_eq!(lines(&decisions[1]), [HistoryKind::Created, HistoryKind::SmsFailed]);
    assert_eq!(warnings(&decisions[1]), [(Code::SmsCreditsExhausted, "/data/1/data")]);
}
