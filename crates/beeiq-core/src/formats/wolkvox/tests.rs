use super::*;
use crate::actions::testing::TestOrg;
use crate::batch::Status;
use crate::formats::pulled::testing::{data, decided, document, draft, faults, places, told};
use crate::records::connection::SourceSettings;
use chrono_tz::America::Bogota;
use std::collections::BTreeMap;

/// A row with every field that the document lists.
fn row() -> Value {
    json!({
        "campaign_id": "1057", "customer_name": "Ann", "customer_last_name": "Lee", "id_type": "CC",
        "customer_id": "79154236", "date": "2026-01-31 08:00:00", "telephone": "+573001234567",
        "result": "ANSWER-MACHINE", "opt1": "ann@x.com", "opt2": "Gold", "opt3": "", "opt12": "blue",
        "conn_id": "64f0a1",
    })
}

fn with(changes: &Value) -> Value {
    let mut row = row();
    for (field, value) in changes.as_object().unwrap() {
        row[field] = value.clone();
    }
    row
}

fn settings() -> WolkvoxSettings {
    let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    WolkvoxSettings {
        campaign_ids: vec!["1057".to_owned()],
        time_zone: Some(Bogota),
        document_types: vec!["cc".to_owned()],
        fields: map(&[("opt1", "email"), ("opt2", "cusFields.Referred By"), ("opt3", "bgInfo")]),
        result_tags: map(&[("answer-machine", "Machine"), ("ANSWER", "Reached")]),
        ..WolkvoxSettings::default()
    }
}

fn read_with(settings: &WolkvoxSettings, row: Value) -> Vec<Draft> {
    let org = TestOrg::new().directory.org;
    drafts(told(&document("1057", &[row], &json!({}))), settings, &org).unwrap()
}

fn read(changes: &Value) -> Vec<Draft> {
    read_with(&settings(), with(changes))
}

fn whose(drafts: &[Draft]) -> &[Whose] {
    &draft(drafts, Part::Activity).heard.whose
}

#[test]
fn a_row_is_a_contact_and_a_call() {
    let drafts = read(&json!({}));
    assert_eq!(
        data(&drafts, Part::Contact),
        json!({
            "name": "Ann", "lastname": "Lee", "phones": [{"value": "+573001234567"}],
            "passport": "79154236", "emails": [{"value": "ann@x.com"}],
            "cusFields": [{"name": "Referred By", "value": "Gold"}], "tag": "Machine",
        })
    );
    assert_eq!(
        data(&drafts, Part::Activity),
        json!({
            "kind": "call", "source": "wolkvox", "externalId": "64f0a1", "outcome": "ANSWER-MACHINE",
            "startedAt": "2026-01-31T13:00:00Z", "subject": "Campaign 1057",
            "details": {"campaign_id": "1057", "id_type": "CC", "opt12": "blue"},
        })
    );
    for draft in &drafts {
        let key = ActivityKey { source: "wolkvox".to_owned(), external_id: "64f0a1".to_owned() };
        let heard = Heard {
            whose: vec![Whose::External("79154236".to_owned())],
            placeholder: Some("wolkvox customer 79154236".to_owned()),
            as_of: Some("2026-01-31T13:00:00Z".parse().unwrap()),
            activities: vec![key],
            new_deal_stage: None,
        };
        assert_eq!((&draft.heard, draft.item), (&heard, 0));
    }
}

#[test]
fn a_row_as_it_is_documented_is_applied_without_a_fault() {
    let settings = SourceSettings::Wolkvox(settings());
    let body = document("1057", &[row(), with(&json!({"conn_id": "64f0a2"}))], &json!({}));
    let decided = decided(settings, &body);
    assert_eq!(faults(&decided), []);
    let status = |it: &Result<crate::batch::Decision, _>| it.as_ref().unwrap().outcome.status;
    let statuses: Vec<Status> = decided.iter().map(status).collect();
    assert_eq!(statuses, [Status::Created, Status::Created, Status::Unchanged, Status::Created]);
    for decision in decided {
        assert_eq!(decision.unwrap().outcome.warnings, []);
    }
}

#[test]
fn a_name_is_the_first_or_else_the_last_or_else_left_open() {
    for (first, last, named) in [
        ("Ann", "Lee", json!({"name": "Ann", "lastname": "Lee"})),
        ("Ann", " ", json!({"name": "Ann"})),
        ("", "Lee", json!({"name": "Lee"})),
        ("", "", json!({})),
    ] {
        let drafts = read(&json!({"customer_name": first, "customer_last_name": last}));
        let mut contact = data(&drafts, Part::Contact);
        contact.as_object_mut().unwrap().retain(|field, _| field.contains("name"));
        assert_eq!(contact, named, "{first} {last}");
    }
}

#[test]
fn a_customer_is_known_by_their_id_or_else_by_the_number_that_was_called() {
    let external = |id: &str| vec![Whose::External(id.to_owned())];
    for (id, phone, expected) in [
        ("79154236", "+573001234567", external("79154236")),
        (" 79154236 ", "", external("79154236")),
        ("", "+57 300 123 45 67", external("tel:+573001234567")),
        // By the region of the org, which is Vietnam.
        ("", "0905000001", external("tel:+84905000001")),
    ] {
        let drafts = read(&json!({"customer_id": id, "telephone": phone}));
        assert_eq!(whose(&drafts), expected, "{id} {phone}");
    }
    for phone in ["", "anonymous", "123"] {
        let drafts = read(&json!({"customer_id": "", "telephone": phone}));
        let [failed] = drafts.as_slice() else { panic!("{drafts:?}") };
        let expected = [("no_customer", "/items/0/telephone")];
        assert_eq!(places(&failed.diagnostics.faults), expected, "{phone}");
    }
}

#[test]
fn an_id_is_a_passport_where_its_type_is_listed_in_any_case() {
    for (id_type, passport) in
        [("CC", Some("79154236")), (" cc ", Some("79154236")), ("TI", None), ("", None)]
    {
        let contact = data(&read(&json!({"id_type": id_type})), Part::Contact);
        assert_eq!(contact["passport"].as_str(), passport, "{id_type}");
    }
}

#[test]
fn opt_fields_go_where_the_connection_says_and_the_others_to_the_details() {
    let map = [("opt1", "passport"), ("opt2", "bgInfo"), ("opt4", "bgInfo"), ("opt5", "email")];
    let fields = map.map(|(opt, field)| (opt.to_owned(), field.to_owned()));
    let settings = WolkvoxSettings { fields: fields.into_iter().collect(), ..settings() };
    let told = json!({"id_type": "TI", "opt1": "B1", "opt2": "one", "opt4": "two", "opt5": "a@y.com",
        "opt6": 7, "opt": "x", "option1": "x"});
    let drafts = read_with(&settings, with(&told));
    let contact = data(&drafts, Part::Contact);
    let expected = (json!("B1"), json!("one"), json!([{"value": "a@y.com"}]));
    let shown = ["passport", "bgInfo", "emails"].map(|field| contact[field].clone());
    assert_eq!(shown, [expected.0, expected.1, expected.2]);
    let expected = json!({"campaign_id": "1057", "id_type": "TI", "opt6": "7", "opt12": "blue"});
    assert_eq!(data(&drafts, Part::Activity)["details"], expected);
    let listed = data(&read_with(&settings, with(&json!({"opt1": "B1"}))), Part::Contact);
    assert_eq!(listed["passport"], "79154236");
}

#[test]
fn a_result_gives_the_contact_the_tag_that_is_set_for_it() {
    for (result, tag) in [
        ("ANSWER-MACHINE", Some("Machine")),
        ("answer", Some("Reached")),
        ("BUSY", None),
        ("", None),
    ] {
        let drafts = read(&json!({ "result": result }));
        assert_eq!(data(&drafts, Part::Contact)["tag"].as_str(), tag, "{result}");
        let outcome = Some(result).filter(|it| !it.is_empty());
        assert_eq!(data(&drafts, Part::Activity)["outcome"].as_str(), outcome);
    }
}

#[test]
fn a_call_without_an_id_is_known_by_campaign_number_and_date() {
    for (changes, id) in [
        (json!({}), "64f0a1"),
        (json!({"conn_id": ""}), "1057:+573001234567:2026-01-31 08:00:00"),
        (
            json!({"conn_id": null, "campaign_id": "", "telephone": ""}),
            "1057:79154236:2026-01-31 08:00:00",
        ),
    ] {
        assert_eq!(data(&read(&changes), Part::Activity)["externalId"], id);
    }
}

#[test]
fn a_date_is_read_in_four_forms_in_the_time_zone_of_the_connection() {
    for text in [
        "2026-01-31 08:00:05",
        "2026/01/31 08:00:05",
        "20260131080005",
        "2026-01-31-08:00:05",
        "2026/01/31-08:00:05",
        "20260131-080005",
    ] {
        let call = data(&read(&json!({ "date": text })), Part::Activity);
        assert_eq!(call["startedAt"], "2026-01-31T13:00:05Z", "{text}");
        let settings = WolkvoxSettings { time_zone: None, ..settings() };
        let call = data(&read_with(&settings, with(&json!({ "date": text }))), Part::Activity);
        assert_eq!(call["startedAt"], "2026-01-31T01:00:05Z", "in the org's zone, {text}");
    }
}

#[test]
fn without_a_date_that_is_one_the_call_fails_and_the_contact_stays() {
    for (date, code, place) in [
        ("2026-02-30 08:00:00", "invalid_date", "/items/0/date"),
        ("2026-01-31", "invalid_date", "/items/0/date"),
        ("31/01/2026 08:00:00", "invalid_date", "/items/0/date"),
        ("1769846400", "invalid_date", "/items/0/date"),
        ("yesterday", "invalid_date", "/items/0/date"),
        ("", "required", "/items/0"),
    ] {
        let body = document("1057", &[with(&json!({ "date": date }))], &json!({}));
        let decided = decided(SourceSettings::Wolkvox(settings()), &body);
        assert!(decided[0].is_ok(), "{date}");
        assert_eq!(faults(&decided), [(code, place)], "{date}");
    }
}

#[test]
fn what_is_wrong_with_a_row_is_told_of_the_place_where_it_stands() {
    let told = json!({"opt1": "nonsense", "opt2": "x", "telephone": "anonymous"});
    let mut settings = settings();
    settings.fields.insert("opt2".to_owned(), "cusFields.Nope".to_owned());
    let decided =
        decided(SourceSettings::Wolkvox(settings), &document("1", &[with(&told)], &json!({})));
    let warnings = &decided[0].as_ref().unwrap().outcome.warnings;
    let mut places = places(warnings);
    places.sort_unstable();
    let expected = [
        ("invalid_email", "/items/0/opt1"),
        ("invalid_phone", "/items/0/telephone"),
        ("unknown_custom_field", "/items/0/opt2"),
    ];
    assert_eq!(places, expected);
}

#[test]
fn a_row_that_was_redacted_fails_in_its_place() {
    let body = document("1057", &[row(), row()], &json!({}));
    let redacted = redacted(&body, &BTreeSet::from([0])).unwrap();
    let decided = decided(SourceSettings::Wolkvox(settings()), &redacted);
    assert_eq!((faults(&decided), decided.len()), (vec![("required", "/items/0")], 3));
}

#[test]
fn a_row_tells_of_whom_its_id_means_whatever_the_type_of_that_is() {
    let body = document("1057", &[row(), with(&json!({"customer_id": "1"}))], &json!({}));
    let of = |field: &'static str, value: &'static str| {
        items_that(&body, move |told| told[field] == value).unwrap().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(of("passport", "79154236"), [0]);
    assert_eq!(of("externalId", "wolkvox:1"), [1]);
    assert_eq!(items_that(&body, |told| told["item"]["conn_id"] == "64f0a1").unwrap().len(), 2);
}
